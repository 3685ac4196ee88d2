"""A stored interpretation document as rows of the tables: one a panel (as a cohort run has it), one a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from csfinterp.steps.times import YEARS

Document = Mapping[str, Any]
# Issues of a result whose value fills no cell.
UNUSABLE = (
    "unit_missing", "unit_unknown", "value_unreadable", "implausible", "quotient_scale_unknown", "duplicate_result",
    "wrong_specimen_code", "specimen_ambiguous", "specimen_not_stated", "code_invalid",
)  # fmt: skip
BESIDE = ("other_tube_leads", "computed_leads")


def panel_row(answer: Document, sent: Document) -> dict[str, object]:
    """The cells that the document states; a column that is not there is missing. `sent`: the panel document."""
    row: dict[str, object] = {
        "edition": answer["edition"]["id"],
        "edition_digest": answer["edition"]["digest"],
        "age_years": years(answer),
        "sex": answer["patient"]["sex"],
        "site": answer["specimen"].get("site") or "unknown",
    }
    for name, led in _leading(answer, sent).items():
        row[name], row[f"{name}_comparator"], row[f"{name}_flag"] = led
    row |= {f"finding_{one['id']}": one["truth"] for one in answer["findings"]}
    for profile in answer["profiles"]:
        row[f"profile_{profile['id']}_abnormal"] = profile["abnormal"]
        row[f"profile_{profile['id']}_evaluable"] = profile["evaluable"]
    row |= {f"lm_{key}": answer["lm"][key] for key in ("certainty", "type", "provisional", "row")}
    row |= {name: answer[name]["status"] for name in ("hematologic_cns", "leukemia_cns")}
    row |= {f"pattern_{one['id']}": one["grade"] for one in answer["patterns"]}
    for score in answer["scores"]:
        row[f"score_{score['id']}"], row[f"score_{score['id']}_status"] = score["text"], score["status"]
    return row | {"critical": len(answer["critical"]), "issues": len(answer["issues"])}


def _leading(answer: Document, sent: Document) -> dict[str, tuple[object, object, object]]:
    """Value, comparator and flag that count for every id: the computed one before one that was sent, no other tube.

    Of results that were sent twice only a critical flag counts, with its word; a number beside it would look judged.
    """
    unusable = [
        sent["observations"][one["observation"]]
        for one in answer["issues"]
        if one["code"] in UNUSABLE and one["observation"] is not None
    ]
    found: dict[str, tuple[object, object, object]] = {}
    repeats: dict[str, tuple[object, object, object]] = {}
    for one in answer["results"]:
        name, flag = one["analyte"], one["flag"]
        if any(note["code"] in BESIDE for note in one["notes"]):
            continue
        if unusable and one["reported"] and any(_is_sent(one["reported"], other) for other in unusable):
            if flag is not None:
                repeats.setdefault(name, (one["value"] if one["kind"] == "coded" else None, None, flag))
        elif name not in found or (flag == "AA" and found[name][2] != "AA"):
            found[name] = one["value"], one["comparator"], flag
    return repeats | found


def _is_sent(reported: Document, observation: Document) -> bool:
    code = observation["code"]
    same = reported["code"] == (code["code"] if isinstance(code, dict) else code)
    return same and all(_text(reported[key]) == _text(observation.get(key)) for key in ("value", "comparator", "unit"))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def years(answer: Document) -> int | None:
    """Completed years at collection."""
    found = answer["patient"]["age_at_collection"]
    return None if found is None else int(found["value"] * YEARS[found["unit"]])


def result_rows(answer: Document) -> Iterator[dict[str, object]]:
    """One row a result, in the order of the document."""
    for one in answer["results"]:
        reported = one["reported"] or {}
        yield {
            "edition": answer["edition"]["id"],
            "edition_digest": answer["edition"]["digest"],
            "code": one["analyte"],
            "value": None if one["value"] is None else str(one["value"]),
            "comparator": one["comparator"],
            "unit": one["unit"],
            "flag": one["flag"],
            "critical": one["critical"],
            "not_judged": one["not_judged"],
            "derived": one["derived"],
            "organism_class": one["organism_class"],
            "organism": one["organism"],
            "reported_code": reported.get("code"),
            "reported_value": reported.get("value"),
            "reported_unit": reported.get("unit"),
        }

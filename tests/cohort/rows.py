"""The row that an interpretation document stands for, read by the tests alone from interfaces.md section 5."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Document = dict[str, Any]
# Issues of an observation whose value fills no cell.
UNUSABLE = (
    "unit_missing", "unit_unknown", "value_unreadable", "implausible", "quotient_scale_unknown", "duplicate_result",
    "wrong_specimen_code", "specimen_ambiguous", "specimen_not_stated", "code_invalid",
)  # fmt: skip
BESIDE = ("other_tube_leads", "computed_leads")


def row_of(answer: Document, sent: Document, ids: Iterable[str]) -> Document:
    """Every column of the row, but a score that was not asked for; `ids`: analytes and derived quantities."""
    specimen = answer["specimen"]
    row = {
        "panel_id": specimen["id"],
        "patient_id": answer["patient"]["id"],
        "collected_at": specimen.get("collected_at"),
        "edition": answer["edition"]["id"],
        "edition_digest": answer["edition"]["digest"],
    }
    for name in ids:
        led = leading(answer, name, sent)
        row[name] = led["value"] if led else None
        row[f"{name}_comparator"] = led["comparator"] if led else None
        row[f"{name}_flag"] = led["flag"] if led else None
    row |= {f"finding_{one['id']}": one["truth"] for one in answer["findings"]}
    for profile in answer["profiles"]:
        row[f"profile_{profile['id']}_abnormal"] = profile["abnormal"]
        row[f"profile_{profile['id']}_evaluable"] = profile["evaluable"]
    row |= {f"lm_{key}": answer["lm"][key] for key in ("certainty", "type", "provisional", "row")}
    row |= {name: answer[name]["status"] for name in ("hematologic_cns", "leukemia_cns")}
    row |= {f"pattern_{one['id']}": one["grade"] for one in answer["patterns"]}
    for score in answer["scores"]:
        row[f"score_{score['id']}"], row[f"score_{score['id']}_status"] = score["text"], score["status"]
    row |= {"critical": len(answer["critical"]), "issues": len(answer["issues"])}
    return row


def leading(answer: Document, name: str, sent: Document) -> Document | None:
    """The result that counts for an id: the computed one before one that was sent, no other tube.

    Of repeats none counts, but a critical flag stays (SL41), with its word; a number beside it would look judged.
    """
    named = [one for one in answer["issues"] if one["code"] in UNUSABLE and one["observation"] is not None]
    unusable = [sent["observations"][one["observation"]] for one in named]
    usable, repeats = [], []
    for one in answer["results"]:
        if one["analyte"] == name and not any(note["code"] in BESIDE for note in one["notes"]):
            wrong = one["reported"] and any(_is_sent(one["reported"], other) for other in unusable)
            (repeats if wrong else usable).append(one)
    called = [one if one["kind"] == "coded" else {**one, "value": None, "comparator": None} for one in repeats]
    called = [one for one in called if one["flag"]]
    return next(iter((*sorted(usable, key=lambda one: one["flag"] != "AA"), *called)), None)


def _is_sent(reported: Document, observation: Document) -> bool:
    code = observation["code"]
    same = reported["code"] == (code["code"] if isinstance(code, dict) else code)
    return same and all(_text(reported[key]) == _text(observation.get(key)) for key in ("value", "comparator", "unit"))


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""Constructed panels for tests (never a patient), and short ways to read an interpretation document."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from csfinterp.formats import panel_json
from csfinterp.samples import SAMPLES
from csfinterp.steps.pipeline import Core

DAY = date(2026, 3, 1)
COLLECTED = "2026-03-01T09:20:00+01:00"
Document = dict[str, Any]
Interpret = Callable[[Mapping[str, Any]], Document]
_numbers = itertools.count(1)


def birth_date(age: str, on: date = DAY) -> str:
    """Birth date of somebody who completes `age` ("35 a", "28 d") on the day of collection."""
    number, unit = age.split()
    born = on.replace(year=on.year - int(number)) if unit == "a" else on - timedelta(days=int(number))
    return born.isoformat()


def quantity(code: str, value: object, unit: str | None, **more: Any) -> Document:
    """A quantity as sent; `unit` None leaves the unit out."""
    return {"code": code, "value": value, **({} if unit is None else {"unit": unit}), **more}


def word(code: str, value: str, **more: Any) -> Document:
    """A coded result as sent."""
    return {"code": code, "value": value, **more}


def loinc(code: str, **more: Any) -> Document:
    """A LOINC coded observation; `display` goes into the code, everything else into the observation."""
    display = more.pop("display", None)
    named = {"system": "http://loinc.org", "code": code} | ({"display": display} if display else {})
    return {"code": named, **more}


def panel(*observations: Document, age: str | None = "35 a", site: str | None = "lumbar", **parts: Any) -> Document:
    """A panel of these observations. `age` None: birth date not sent; `context`, `specimen` are added as given."""
    specimen = {"id": "ACC-TEST-1", "type": "csf", "collected_at": COLLECTED}
    if site is not None:
        specimen["site"] = site
    document: Document = {
        "source": {"system": "LIS-TEST", "message_id": "MSG-TEST-1"},
        "patient": {"id": "MRN-TEST-1", "sex": "female"},
        "specimen": {**specimen, **parts.pop("specimen", {})},
        "status": "final",
        "observations": list(observations),
    }
    if age is not None:
        document["patient"]["birth_date"] = birth_date(age)
    return {**document, **parts}


def albumin_pair(quotient: float, serum: float = 40.0) -> tuple[Document, Document]:
    """CSF and serum albumin whose quotient is `quotient` (1e-3)."""
    return (
        quantity("csf_albumin", round(quotient * serum, 9), "mg/L"),
        quantity("serum_albumin", serum, "g/L"),
    )


def interpreting(core: Core) -> Interpret:
    """Panel document in, interpretation document out, through the JSON reader and the whole core."""

    def run(document: Mapping[str, Any]) -> Document:
        panel = panel_json.read(json.dumps(document).encode())
        return panel_json.write(core.interpret(panel), panel_json.Envelope(None, 1, "2026-03-01T10:00:00Z"))

    return run


def answered(core: Core, documents: Sequence[Document]) -> list[Document]:
    """Interpretation documents of these panel documents, in one stacked run."""
    found = core.interpret_many([panel_json.read_document(one) for one in documents])
    return [panel_json.write(one, panel_json.Envelope(None, 1, "2026-03-01T10:00:00Z")) for one in found]


def result(answer: Document, analyte: str) -> Document:
    """The one result of this analyte."""
    found = [entry for entry in answer["results"] if entry["analyte"] == analyte]
    assert len(found) == 1, f"{len(found)} results of {analyte}"
    return found[0]


def has_result(answer: Document, analyte: str) -> bool:
    return any(entry["analyte"] == analyte for entry in answer["results"])


def value(answer: Document, analyte: str) -> Any:
    return result(answer, analyte)["value"]


def flag(answer: Document, analyte: str) -> tuple[str | None, str | None]:
    """(flag, reason why there is none)."""
    found = result(answer, analyte)
    return found["flag"], found["not_judged"]


def finding(answer: Document, name: str) -> Document:
    found = [entry for entry in answer["findings"] if entry["id"] == name]
    assert len(found) == 1, f"{len(found)} findings {name}"
    return found[0]


def truth(answer: Document, name: str) -> str:
    return finding(answer, name)["truth"]


def quality(answer: Document) -> set[str]:
    """Ids of the quality rules that hold."""
    return {entry["id"] for entry in answer["quality"] if entry["truth"] == "true"}


def rules(answer: Document) -> set[str]:
    """Printed numbers (PT2, R4 ...) of the quality rules that hold."""
    return {entry["rule"] for entry in answer["quality"] if entry["truth"] == "true"}


def issues(answer: Document) -> list[tuple[str, int | None]]:
    """(issue code, observation) as listed."""
    return [(entry["code"], entry["observation"]) for entry in answer["issues"]]


def critical(answer: Document) -> list[tuple[str, str, str]]:
    """(analyte, rule, level) of every critical item."""
    return [(entry["analyte"], entry["rule"], entry["level"]) for entry in answer["critical"]]


def profile(answer: Document, name: str) -> Document:
    return next(entry for entry in answer["profiles"] if entry["id"] == name)


def marker(answer: Document, name: str, of: str) -> Document:
    return next(entry for entry in profile(answer, of)["markers"] if entry["id"] == name)


def unsent(document: Document) -> Document:
    """The same panel under ids that no other test of this process has used."""
    number = next(_numbers)
    return {
        **document,
        "source": {"system": "LIS-TEST", "message_id": f"MSG-{number}"},
        "patient": {**document.get("patient", {}), "id": f"MRN-TEST-{number}"},
        "specimen": {**document["specimen"], "id": f"ACC-TEST-{number}"},
    }


def sample_panel(sample: str, **changes: Any) -> Document:
    """A sample under ids of its own, its parts changed as asked."""
    return {**unsent(next(one for one in SAMPLES if one.name == sample).document()), **changes}

"""What differs between two interpretation documents of one panel, as data: plain documents in, a plain document out.

It compares what a reader acts on and judges nothing: results, findings, LM certainty, patterns, critical calls, the
headline, the context and the edition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from csfinterp.formats.report_words import unit_text, value_text

Document = Mapping[str, Any]
_RESULT = ("value", "comparator", "unit", "organism", "flag", "critical", "not_judged")
_SAME_CALL = ("analyte", "rule", "source")
_CALL = (*_SAME_CALL, "level", "reason")
_LM = ("certainty", "type", "provisional")
_PATHS = {"hematologic_cns": "status", "leukemia_cns": "status"}


def change(before: Document, after: Document) -> dict[str, Any]:
    """What `after` says otherwise than `before`. Every key is always there: null or [] where nothing differs.

    `from`, `to`: versions. A pair is `{"before", "after"}`. `results[].kind`: added, removed, value (value, comparator,
    unit or organism), flag (the flag or the reason for none alone). `critical`: calls that are new, those that say
    something else, and those that no longer hold; `acknowledged` of the last tells who had been called.
    """
    return {
        "from": before.get("version"),
        "to": after.get("version"),
        "status": _pair(before.get("status"), after.get("status")),
        "results": list(_results(before, after)),
        "findings": list(_by_id(before, after, "findings", "truth")),
        "lm": _pair(_picked(before.get("lm"), _LM), _picked(after.get("lm"), _LM)),
        **{name: _pair(_at(before, name, key), _at(after, name, key)) for name, key in _PATHS.items()},
        "patterns": list(_by_id(before, after, "patterns", "grade")),
        "critical": _critical(_calls(before), _calls(after)),
        "headline": _pair(_at(before, "summary", "headline"), _at(after, "summary", "headline")),
        "context": list(_context(before.get("context") or {}, after.get("context") or {})),
        "edition": _pair(_at(before, "edition", "id"), _at(after, "edition", "id")),
    }


def short(changed: Document) -> dict[str, Any]:
    """The counts of a change and what must not be overlooked: results that are gone, calls new and withdrawn."""
    gone = [row for row in changed["results"] if row["kind"] == "removed" and not row["derived"]]
    return {
        "from": changed["from"],
        "results": len(changed["results"]),
        "results_removed": len(gone),
        "findings": len(changed["findings"]),
        "patterns": len(changed["patterns"]),
        "context": len(changed["context"]),
        "lm": changed["lm"] is not None,
        "headline": changed["headline"] is not None,
        "edition": changed["edition"] is not None,
        "critical_new": len(changed["critical"]["new"]),
        "critical_changed": len(changed["critical"]["changed"]),
        "critical_withdrawn": len(changed["critical"]["withdrawn"]),
    }


def _results(before: Document, after: Document) -> Iterator[dict[str, Any]]:
    """In the order of the newer document, removed ones at the end."""
    old = list(before.get("results") or ())
    for row in after.get("results") or ():
        other = _partner(row, old)
        if other is not None:
            old.remove(other)
        kind = "added" if other is None else _kind(other, row)
        if kind is not None and not (other is None and _is_empty(row)):
            yield _result(kind, row, other, row)
    yield from (_result("removed", row, row, None) for row in old if not _is_empty(row))


def _is_empty(row: Document) -> bool:
    """A quantity that could not be calculated: it comes and goes with its inputs and says nothing of its own."""
    return row.get("derived") is True and row.get("value") is None


def _partner(row: Document, others: list[Document]) -> Document | None:
    """The result of the same test before: the equal one, the one of the same organism, or the only one left."""
    same = [other for other in others if other.get("analyte") == row.get("analyte")]
    equal = (other for other in same if _picked(other, _RESULT) == _picked(row, _RESULT))
    named = (other for other in same if other.get("organism") == row.get("organism"))
    return next(equal, None) or next(named, None) or (same[0] if len(same) == 1 else None)


def _kind(before: Document, after: Document) -> str | None:
    said = ("value", "comparator", "unit", "organism")
    if _picked(before, said) != _picked(after, said):
        return "value"
    return "flag" if _picked(before, _RESULT) != _picked(after, _RESULT) else None


def _result(kind: str, row: Document, before: Document | None, after: Document | None) -> dict[str, Any]:
    told = {"analyte": row.get("analyte"), "name": row.get("name"), "derived": row.get("derived") is True}
    return {"kind": kind, **told, "before": _said(before), "after": _said(after)}


def _said(row: Document | None) -> dict[str, Any] | None:
    """The result with `text`: value and unit as reports print them."""
    if row is None:
        return None
    printed = " ".join(filter(None, (value_text(row), unit_text(row), row.get("organism"))))
    return {"text": printed, **{key: row.get(key) for key in _RESULT}}


def _by_id(before: Document, after: Document, part: str, key: str) -> Iterator[dict[str, Any]]:
    """Entries of a list with ids whose `key` differs; null: not listed."""
    old, new = ({row["id"]: row for row in document.get(part) or ()} for document in (before, after))
    for name in _in_order(new, old):
        was, now = (rows.get(name, {}).get(key) for rows in (old, new))
        if was != now:
            row = new.get(name) or old[name]
            yield {"id": name, "name": row.get("name"), "before": was, "after": now}


def _context(before: Document, after: Document) -> Iterator[dict[str, Any]]:
    for name in _in_order(after, before):
        if before.get(name) != after.get(name):
            yield {"id": name, "before": before.get(name), "after": after.get(name)}


def _in_order(*keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for part in keys for name in part))


def _calls(document: Document) -> list[Document]:
    """The critical calls that hold; none of a cancelled panel does."""
    return [] if document.get("status") == "cancelled" else list(document.get("critical") or ())


def _critical(before: list[Document], after: list[Document]) -> dict[str, Any]:
    new = [row for row in after if not _take(row, before, _CALL)]
    changed = []
    for row in tuple(new):
        if other := _take(row, before, _SAME_CALL):
            new.remove(row)
            changed.append({"before": other, "after": row})
    return {"new": new, "changed": changed, "withdrawn": before}


def _take(row: Document, others: list[Document], keys: Iterable[str]) -> Document | None:
    """The first of `others` that agrees with the row; it is taken out of the list."""
    found = next((other for other in others if _picked(other, keys) == _picked(row, keys)), None)
    if found is not None:
        others.remove(found)
    return found


def _pair(before: object, after: object) -> dict[str, Any] | None:
    return None if before == after else {"before": before, "after": after}


def _picked(row: Document | None, keys: Iterable[str]) -> dict[str, Any] | None:
    return None if row is None else {key: row.get(key) for key in keys}


def _at(document: Document, part: str, key: str) -> Any:
    return (document.get(part) or {}).get(key)

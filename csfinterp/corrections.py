"""Updates of a stored panel: what a message that names only some results makes of the document stored before.

HL7 v2 senders send what is new, not the whole panel. Which result replaces, withdraws or finishes which stands in
../clinical/codes.md section 3; plain documents in, a plain document out, no medicine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
WITHDRAWN = ("cancelled", "entered_in_error")
FINISHED = ("final", "corrected")
# A correction replaces the result of that test also where it no longer names the organism, as a withdrawal does.
_WHOLE_TEST = ("corrected", *WITHDRAWN)
_NOT_STATED: tuple[object, ...] = (None, "", "unknown", {}, [])
_MERGED_PARTS = ("patient", "specimen", "context")


@dataclass(frozen=True)
class Update:
    """`document`: the panel as it stands after the update; the stored one itself if nothing changed.

    `set_aside`: results of the update that came too late, because the stored one is final; they are in no document.
    """

    document: Document
    set_aside: tuple[Document, ...]


@dataclass(frozen=True)
class _Result:
    """One observation with the status it has, stated or as the panel's."""

    sent: Document
    status: str
    test: tuple[object, ...]

    @property
    def organism(self) -> str | None:
        text = self.sent.get("organism")
        return " ".join(str(text).split()).casefold() if text else None

    @property
    def has_value(self) -> bool:
        return self.sent.get("value") is not None or bool(self.sent.get("variants"))

    @property
    def finishes(self) -> bool:
        """Says "final now" without sending the value again (OBX-11 U)."""
        return self.status == "final" and not self.has_value and not self.sent.get("absent_reason")


def merged(stored: Document, update: Document) -> Document:
    """The stored panel document with an update put in; the stored one itself if the update says nothing new.

    Results are the same if code as sent, specimen, tube and organism are. A preliminary result, and one that is
    corrected or withdrawn, is also found where only one of both names the organism; a corrected organism replaces the
    only one that it can mean. Patient, specimen and context keep what the update does not state.
    """
    return update_of(stored, update).document


def update_of(stored: Document, update: Document) -> Update:
    """`merged`, with the results that came too late."""
    kinds = [(document.get("specimen") or {}).get("type") for document in (stored, update)]
    # A message that does not repeat the type of the specimen means that of the stored panel.
    before, sent = _results(stored, kinds[0] or kinds[1]), _results(update, kinds[1] or kinds[0])
    after, late = _put_in(before, sent)
    parts = {name: _over(stored.get(name), update.get(name)) for name in _MERGED_PARTS}
    same_parts = all(parts[name] == (stored.get(name) or {}) for name in _MERGED_PARTS)
    changed = not same_parts or [_bare(result) for result in before] != [_bare(result) for result in after]
    status = _status(stored, update, after, changed)
    set_aside = tuple(result.sent for result in late)
    if not changed and status == stated_status(stored):
        return Update(stored, set_aside)
    document: dict[str, Any] = {"source": _source(stored, update)}
    document |= {name: part for name, part in parts.items() if part}
    document["status"] = status
    document["observations"] = [_as_stored(result, status) for result in after]
    return Update({key: value for key, value in document.items() if value not in (None, {})}, set_aside)


def stated_status(document: Document) -> str:
    """The status that a panel document states; final if it states none."""
    return document.get("status") or "final"


def panel_status(document: Document) -> str:
    """The status of a panel by its observations (whole-panel rule of codes.md section 3).

    All withdrawn: cancelled. Any corrected: corrected. Any preliminary: preliminary. Else final, unless the panel
    itself is called preliminary (more is to come).
    """
    return _by_results(_results(document), stated_status(document))


def _by_results(results: Sequence[_Result], stated: str) -> str:
    statuses = {result.status for result in results} - {*WITHDRAWN}
    if not statuses:
        return "cancelled"
    for word in ("corrected", "preliminary"):
        if word in statuses:
            return word
    return "preliminary" if stated == "preliminary" else "final"


def _status(stored: Document, update: Document, after: Sequence[_Result], changed: bool) -> str:
    """What was reported once is corrected or cancelled from then on; it never becomes preliminary or final again."""
    before, now = stated_status(stored), _by_results(after, stated_status(update))
    if before == "preliminary" or now == "cancelled":
        return now
    return "corrected" if changed else before


def _results(document: Document, kind: str | None = None) -> list[_Result]:
    status = stated_status(document)
    return [_result(sent, status, kind) for sent in document["observations"]]


def _result(sent: Document, status: str, kind: str | None) -> _Result:
    code = sent.get("code")
    named = (code.get("system") or None, code.get("code")) if isinstance(code, Mapping) else (None, code)
    return _Result(sent, sent.get("status") or status, (*named, sent.get("specimen") or kind, sent.get("tube")))


def _put_in(before: Sequence[_Result], sent: Sequence[_Result]) -> tuple[list[_Result], list[_Result]]:
    """The results after the update, in the stored order and new ones at the end; and those that came too late."""
    places: dict[int, list[_Result]] = {}
    replaced: set[int] = set()
    new: list[_Result] = []
    late: list[_Result] = []
    finished: dict[int, _Result] = {}
    for result in sent:
        found = _same(before, result, sent)
        if result.finishes and found:
            preliminary = [place for place in found if before[place].status == "preliminary"]
            finished |= {place: _final(before[place]) for place in preliminary}
        elif found and _too_late([before[place] for place in found], result):
            late += [result] if result.has_value else []
        elif found:
            places.setdefault(found[0], []).append(result)
            replaced.update(found)
        else:
            new.append(result)
    kept: list[_Result] = []
    for place, result in enumerate(before):
        kept += places.get(place, [])
        if place not in replaced:
            kept.append(finished.get(place, result))
    said = [_bare(result)[1] for result in before]
    return [*kept, *new], [result for result in late if _bare(result)[1] not in said]


def _same(before: Sequence[_Result], result: _Result, sent: Sequence[_Result]) -> list[int]:
    """Places of the stored results that this one, one of `sent`, speaks of."""
    of_test = [place for place, other in enumerate(before) if other.test == result.test]
    exact = [place for place in of_test if before[place].organism == result.organism]
    if exact and result.organism is not None:
        return exact
    loose = [
        place
        for place in of_test
        if None in (before[place].organism, result.organism)
        and (before[place].status == "preliminary" or result.status in _WHOLE_TEST or result.finishes)
    ]
    if not exact and not loose and result.status == "corrected":
        # A correction speaks of something that was reported: of the one organism that this message does not name.
        named = {other.organism for other in sent if other.test == result.test}
        left = [place for place in of_test if before[place].organism not in named]
        return left if len(left) == 1 else []
    return sorted({*exact, *loose})


def _too_late(found: Sequence[_Result], result: _Result) -> bool:
    """A final result never goes back to preliminary, and "pending" takes back no value."""
    if result.status != "preliminary":
        return False
    if any(other.status in FINISHED for other in found):
        return True
    return not result.has_value and any(other.has_value and other.status == "preliminary" for other in found)


def _final(result: _Result) -> _Result:
    return _Result(result.sent, "final", result.test)


def _bare(result: _Result) -> tuple[str, dict[str, Any]]:
    """What a result says, however it was written: null, empty and absent are the same."""
    shape = ("status", "value_type")
    sent = {key: value for key, value in result.sent.items() if key not in shape and value not in (None, "", {}, [])}
    if "value" in sent:
        sent["value"] = str(sent["value"])
    return result.status, sent


def _as_stored(result: _Result, panel_status: str) -> dict[str, Any]:
    """The observation with its own status stated where the panel's is another one."""
    sent = {key: value for key, value in result.sent.items() if key != "status"}
    return sent if result.status == panel_status else {**sent, "status": result.status}


def _over(stored: object, update: object) -> dict[str, Any]:
    """The stored part with every key that the update states."""
    old, new = (dict(part) if isinstance(part, Mapping) else {} for part in (stored, update))
    return {**old, **{key: value for key, value in new.items() if value not in _NOT_STATED}}


def _source(stored: Document, update: Document) -> dict[str, Any]:
    """The sender; the message is the one that brought the update, or none."""
    kept = {key: value for key, value in (stored.get("source") or {}).items() if key != "message_id"}
    return {**kept, **{key: value for key, value in (update.get("source") or {}).items() if value}}

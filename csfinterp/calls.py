"""Critical call-backs: which calls a document makes, who was told of them, and that it is written down only once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import orjson

from csfinterp.errors import ConflictError, DocumentError, Fault, NotFoundError
from csfinterp.formats.acknowledgement import CallBack, CallName
from csfinterp.store import Acknowledgement, RaceError, Store, stamp
from csfinterp.store.engine import busy

Document = Mapping[str, Any]
Key = tuple[str, str, str]
_KEY = ("analyte", "rule", "source")
_SAID = (*_KEY, "level", "reason")
_CLOCKS_DIFFER = timedelta(minutes=5)
_ATTEMPTS = 20


@dataclass(frozen=True)
class Told:
    """What a caller is answered: the calls of the version as they stand now; `created` False: it came before."""

    panel_id: str
    version: int
    created: bool
    calls: tuple[Document, ...]


def calls_of(document: Document) -> list[Document]:
    """The critical calls that a document makes; a cancelled panel makes none."""
    return [] if document.get("status") == "cancelled" else list(document.get("critical") or ())


def key_of(call: Document) -> Key:
    """What a call is known by in its document."""
    analyte, rule, source = (str(call.get(name)) for name in _KEY)
    return analyte, rule, source


def repeated(before: Document, after: Document) -> tuple[Key, ...]:
    """The calls of `after` that `before` made in the same words: whoever was told of those knows of these."""
    said = [_said(call) for call in calls_of(before)]
    return tuple(key_of(call) for call in calls_of(after) if _said(call) in said)


def noted(document: Document, told: Iterable[Acknowledgement]) -> dict[str, Any]:
    """The document as it is served: each call with what is noted of it."""
    by_key = {one.call: printed(one) for one in told}
    calls = [{**call, "acknowledged": by_key.get(key_of(call))} for call in document.get("critical") or ()]
    return {**document, "critical": calls}


def printed(one: Acknowledgement) -> dict[str, object]:
    """`critical[].acknowledged` of the document."""
    return {"told": one.told, "by": one.by, "at": one.at, "read_back": one.read_back, "recorded_at": one.recorded_at}


class Calls:
    """The call-backs of one store. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def record(self, panel_id: str, given: CallBack, recorded_by: str | None = None) -> Told:
        """Notes a call-back for the calls that it names, or for all that are open; answers when it is durable.

        It holds for later versions, too, as long as they repeat the call in the same words. The same call-back again is
        answered as before. Raises NotFoundError (panel, version), DocumentError (a time to come, no such call),
        ConflictError `acknowledged_before` where something else is noted: a call-back is written once.
        """
        if given.at > self._clock() + _CLOCKS_DIFFER:
            text = "The call lies in the future. Send the time at which it was made, with its offset from UTC."
            raise DocumentError(text, (Fault("/at", text),))
        for number in range(_ATTEMPTS):
            try:
                return self._record(panel_id, given, recorded_by)
            except RaceError:
                time.sleep(0.001 * min(number, 10))
        raise busy()

    def _record(self, panel_id: str, given: CallBack, recorded_by: str | None) -> Told:
        documents = self._documents(panel_id, given.version)
        told = {one.call: one for one in self._store.acknowledgements(panel_id, given.version)}
        chosen = _chosen(calls_of(documents[0]), given.calls, told)
        earlier = [told[key] for key in chosen if key in told]
        if any(not _same(one, given) for one in earlier):
            raise ConflictError(
                "Another call-back is noted for this result. It is written once and never changed; read the panel.",
                "acknowledged_before",
            )
        new = [key for key in chosen if key not in told]
        rows = list(self._rows(panel_id, given, recorded_by, new, documents))
        if rows:
            self._store.acknowledge(panel_id, given.version + len(documents) - 1, rows)
        now = noted(documents[0], self._store.acknowledgements(panel_id, given.version))
        return Told(panel_id, given.version, bool(new), tuple(now["critical"]))

    def _documents(self, panel_id: str, version: int) -> list[Document]:
        """The documents from this version to the newest."""
        texts = self._store.interpretations(panel_id)
        if version > len(texts):
            raise NotFoundError("There is no such panel or version; GET /api/v1/panels finds panels.")
        return [cast(Document, orjson.loads(text)) for text in texts[version - 1 :]]

    def _rows(
        self, panel_id: str, given: CallBack, recorded_by: str | None, keys: list[Key], documents: list[Document]
    ) -> Iterable[Acknowledgement]:
        """One row for each call in the version that was read, and in each later one up to which it was repeated."""
        now, left = stamp(self._clock()), keys
        for place, document in enumerate(documents):
            if place:
                still = repeated(documents[place - 1], document)
                left = [key for key in left if key in still]
            for key in left:
                yield Acknowledgement(
                    panel_id, given.version + place, *key, given.told, given.by, given.at.isoformat(), given.read_back,
                    given.version, now, recorded_by,
                )  # fmt: skip


def _chosen(calls: list[Document], names: tuple[CallName, ...], told: Mapping[Key, object]) -> list[Key]:
    """The keys of the calls that are meant. Raises DocumentError for a name that fits none, and where none is open."""
    keys = [key_of(call) for call in calls]
    if not names:
        chosen = [key for key in keys if key not in told] or keys
        if not chosen:
            raise DocumentError("This version makes no critical call.", (Fault("/version", "Send another version."),))
        return chosen
    chosen = []
    for place, name in enumerate(names):
        fitting = [key for key in keys if key[:2] == (name.analyte, name.rule) and name.source in (None, key[2])]
        if not fitting:
            text = "This version makes no such call. Send analyte and rule as in critical of its interpretation."
            raise DocumentError(text, (Fault(f"/calls/{place}", text),))
        chosen += [key for key in fitting if key not in chosen]
    return chosen


def _said(call: Document) -> tuple[object, ...]:
    return tuple(call.get(name) for name in _SAID)


def _same(one: Acknowledgement, given: CallBack) -> bool:
    return (one.told, one.by, one.at, one.read_back) == (given.told, given.by, given.at.isoformat(), given.read_back)

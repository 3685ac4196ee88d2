"""What the editions say, for readers: names, an edition as plain data made once, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from csfinterp.knowledge import diff_editions
from csfinterp.knowledge.diff import Fact, facts
from csfinterp.library import Library, as_data


@dataclass(frozen=True)
class Difference:
    """One row or rule that two editions state otherwise; `changed`: field -> (before, after), "" where it is absent.

    `kind`: added, removed, changed.
    """

    name: str
    kind: str
    changed: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Comparison:
    """`impacted`: the sentences that name the analytes and profiles which the differences touch."""

    differences: tuple[Difference, ...]
    impacted: tuple[str, ...]


class Catalog:
    """The editions of one library for reading. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library, self._lock = library, Lock()
        self._documents: dict[str, dict[str, object]] = {}

    def finding_names(self) -> dict[str, str]:
        """Id -> name of the findings of the edition in force."""
        return {finding.id: finding.name for finding in self._library.known().edition.findings}

    def analyte_names(self) -> dict[str, str]:
        """Id -> name of the analytes of the edition in force."""
        return {analyte.id: analyte.name for analyte in self._library.known().edition.analytes}

    def document(self, edition_id: str) -> dict[str, object]:
        """An edition as plain data, with the site's options applied; do not change it.

        Raises NotFoundError, EditionError.
        """
        edition = self._library.known(edition_id).edition
        with self._lock:
            if edition.id not in self._documents:
                self._documents[edition.id] = as_data(edition)
            return self._documents[edition.id]

    def comparison(self, older_id: str, newer_id: str) -> Comparison:
        """What the newer edition states otherwise than the older one. Raises NotFoundError, EditionError."""
        older, newer = (self._library.known(name).edition for name in (older_id, newer_id))
        lines = diff_editions(older, newer)
        if not lines:
            return Comparison((), ())
        old, new = facts(older), facts(newer)
        names = dict.fromkeys((*old, *new))
        changed = [_difference(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]
        return Comparison(tuple(changed), lines[-2:])


def _difference(name: str, old: Fact | None, new: Fact | None) -> Difference:
    before, after = ({} if fact is None else fact.texts for fact in (old, new))
    said = {key: (before.get(key, ""), after.get(key, "")) for key in dict.fromkeys((*before, *after))}
    kind = "added" if old is None else "removed" if new is None else "changed"
    return Difference(name, kind, {key: pair for key, pair in said.items() if pair[0] != pair[1]})

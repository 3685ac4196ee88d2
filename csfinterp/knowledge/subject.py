"""What the laws judge: an edition as built, with its documents, vocabulary and places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from csfinterp.errors import EditionError
from csfinterp.knowledge.partitions import Ages
from csfinterp.knowledge.places import Places
from csfinterp.knowledge.vocabulary import Vocabulary
from csfinterp.model.edition import Edition


@dataclass(frozen=True)
class Subject:
    """An edition as built, with what the laws need beside it. `documents`: the raw files by name."""

    edition: Edition
    words: Vocabulary
    places: Places
    documents: Mapping[str, object] = field(default_factory=dict)
    gaps: Mapping[str, tuple[Ages, ...]] = field(default_factory=dict)

    def slip(self, built: object, message: str, key: str | None = None) -> EditionError:
        """The error at the line of `built`, or of one of its keys."""
        return EditionError(message, *self.places.of(built, key))

    def file(self, name: str) -> str | None:
        """How errors call the file `name`."""
        return getattr(self.documents.get(name), "file", name)


def twice(subject: Subject, entries: Iterable[object], kind: str, key: str = "id") -> Iterator[EditionError]:
    counted: Counter[str] = Counter()
    for entry in entries:
        name = getattr(entry, key)
        counted[name] += 1
        if counted[name] == 2:
            yield subject.slip(entry, f"the {kind} {name!r} stands twice")

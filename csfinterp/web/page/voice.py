"""How one document is spoken: ids become names, citations become numbers. Everything is asked once and remembered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_names import name_of, names_of, spoken
from csfinterp.formats.report_words import Part, parts, text, texts
from csfinterp.web.words import instant, mark

_SHORT = 34
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?")
_PANEL = re.compile(r"\b(panel [0-9a-f]{8})[0-9a-f]{24}\b")
_LITER = re.compile(r"\buL\b")


@dataclass(frozen=True, slots=True)
class Why:
    """What stands behind a sentence: reasons in words, what is missing, the rule's name, its sources as links.

    `mark`: how the fact stands, in a word, where it was not read in the primary source (else empty).
    """

    because: tuple[str, ...]
    missing: tuple[str, ...]
    rule: str
    sources: Markup
    mark: Markup

    @property
    def told(self) -> bool:
        """There is something to open."""
        return bool(self.because or self.missing or self.rule or self.sources)


class Voice:
    """The words of one document."""

    def __init__(self, document: object) -> None:
        self.names = names_of(document)
        self._said: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self._cited: dict[tuple[str, ...], Markup] = {}
        for number, entry in enumerate(parts(document, "citations"), 1):
            label = escape(_short(text(entry, "text")))
            self._links[text(entry, "id")] = f'<a href="#source-{number}">[{number}] {label}</a>'

    def name(self, identifier: str) -> str:
        return name_of(identifier, self.names)

    def said(self, sentence: str) -> str:
        """A sentence with names in place of ids, units as the tables print them, safe signs only."""
        found = self._said.get(sentence)
        if found is None:
            found = self._said[sentence] = printed(clean(spoken(sentence, self.names)))
        return found

    def listed(self, identifiers: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.name, identifiers))

    def cited(self, ids: Iterable[str]) -> Markup:
        """Links to the list of sources."""
        key = tuple(ids)
        found = self._cited.get(key)
        if found is None:
            links = " ".join(self._links[one] for one in key if one in self._links)
            found = self._cited[key] = Markup(links)  # every link is escaped already
        return found

    def why(self, of: Part, rule: str = "", status: str = "status") -> Why:
        """What stands behind an entry of the document that has `because`, `missing`, `citations`, a status."""
        because = tuple(dict.fromkeys(map(self.said, texts(of, "because")))) if of.get("because") else ()
        missing = self.listed(texts(of, "missing")) if of.get("missing") else ()
        return Why(
            because, missing, rule or text(of, "rule"), self.cited(listed(of, "citations")), mark(of.get(status))
        )


def listed(of: Part, key: str) -> Iterable[str]:
    """The ids of a list of the document."""
    found = of.get(key)
    return found if isinstance(found, list | tuple) else ()


def printed(sentence: str) -> str:
    """Units, powers and times of a sentence as everywhere on the page; the long id of a panel is cut."""
    if "x10-3" in sentence:
        sentence = sentence.replace("x10-3", "× 10⁻³")
    if "collected " in sentence:
        sentence = _PANEL.sub(r"\1…", _TIME.sub(lambda found: instant(found[0]), sentence))
    return _LITER.sub("µL", sentence) if "uL" in sentence else sentence


def _short(citation: str) -> str:
    """The first words of a citation: authors, or the name of the source."""
    start = citation.partition(". ")[0].partition(", et al")[0].split(",")[0].strip()
    return start if len(start) <= _SHORT else start[:_SHORT].rstrip() + "…"

"""An interpretation document with what every section of a report needs: numbers of sources, names instead of ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from csfinterp.formats.report_names import name_of, names_of, spoken
from csfinterp.formats.report_words import Part, part, parts, text, texts


def _limited(name: str) -> tuple[str, ...]:
    """What a limit is the limit of ("igg_limit": "igg_quotient"); any other quantity stands for itself."""
    stem = name.removesuffix("_limit").removesuffix("_lower")
    return (name,) if stem == name else (stem, f"{stem}_quotient")


@dataclass(frozen=True)
class Report:
    document: Part

    @cached_property
    def sources(self) -> dict[str, int]:
        """Citation id -> its number in the list of sources."""
        return {text(entry, "id"): place for place, entry in enumerate(parts(self.document, "citations"), 1)}

    @cached_property
    def names(self) -> dict[str, str]:
        """Id -> name for the reader."""
        return names_of(self.document)

    def name(self, identifier: str) -> str:
        return name_of(identifier, self.names)

    def listed(self, identifiers: Iterable[str]) -> str:
        """Ids as names, each once; by semicolons, for a name may hold a comma."""
        return "; ".join(dict.fromkeys(map(self.name, identifiers)))

    def missing(self, of: Part) -> list[str]:
        """Names of the missing inputs of a statement; one that was sent and settles nothing here says so."""
        sent = {
            text(result, "analyte"): "does not decide this" if text(result, "flag") else "not judged"
            for result in parts(self.document, "results")
            if part(result, "reported") and text(result, "not_judged") != "info_only"
        }
        named = (self.name(name) + (f" (sent, {sent[name]})" if name in sent else "") for name in texts(of, "missing"))
        return list(dict.fromkeys(named))

    @cached_property
    def derived(self) -> list[Part]:
        """The calculated results, without limits of quotients that were not measured."""
        found = [result for result in parts(self.document, "results") if result.get("derived") is True]
        there = {text(result, "analyte") for result in parts(self.document, "results") if text(result, "value")}
        return [result for result in found if not there.isdisjoint(_limited(text(result, "analyte")))]

    def said(self, sentence: str) -> str:
        """A sentence of rules with names in place of ids."""
        return spoken(sentence, self.names)

    def because(self, of: Part, most: int | None = None) -> str:
        """` Because: ...`: the values that a statement rests on, the first `most` of them; "" if none is stated."""
        reasons = list(dict.fromkeys(texts(of, "because")))
        shown = "; ".join(map(self.said, reasons[:most]))
        left = len(reasons) - len(reasons[:most])
        return f" Because: {shown}{f'; and {left} more' if left else ''}." if shown else ""

    def cited(self, of: Part, status: str = "status") -> str:
        """` [1, 4] (secondary)`: the sources of a statement, and its status (key `status`) unless that is primary."""
        numbers = [str(self.sources.get(source, source)) for source in texts(of, "citations")]
        marks = f" [{', '.join(numbers)}]" if numbers else ""
        return marks + (f" ({text(of, status)})" if text(of, status) not in ("", "primary") else "")

    def none(self, key: str, sentence: str) -> str:
        """The sentence for an empty list; a list that the document does not state at all is never taken for empty."""
        stated = isinstance(self.document.get(key), list | tuple)
        return f"  {sentence}" if stated else f"  Not stated: this document has no list of {key}."

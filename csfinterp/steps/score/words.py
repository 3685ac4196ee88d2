"""One score of one panel in words: value, class, reason, what is missing, and the lines that it must always carry."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isnan

from csfinterp.model.interpretation import ScoreResult
from csfinterp.model.predicate import FALSE, TRUE, UNKNOWN, Predicate, Truth, inputs
from csfinterp.steps.score.gates import ScoreOutcomes, Scores
from csfinterp.steps.score.items import ALARM, POINTS, REMARK, Item
from csfinterp.steps.score.reading import COMPUTED, NOT_ASKED, NOTHING, REFUSED
from csfinterp.steps.score.rules import Compiled

STATUS_WORDS = ("", "computed", "not_computable", "refused")
PRINTED = {"csf_cytology_best": "csf_cytology"}
COUNTED = (POINTS, "csf")


def describe(outcomes: ScoreOutcomes, scores: Scores, number: int, column: int) -> ScoreResult | None:
    """Score `number` of panel `column`; None where it was not asked for. Never a probability of LM without a file."""
    if outcomes.status[number, column] == NOT_ASKED:
        return None
    return _Words(outcomes, scores, number, column).result()


class _Words:
    """One score of one panel as plain values."""

    def __init__(self, outcomes: ScoreOutcomes, scores: Scores, number: int, column: int) -> None:
        self._outcomes, self._scores, self._number, self._column = outcomes, scores, number, column
        self._compiled: Compiled = scores.compiled[number]
        self._score = self._compiled.score
        self._texts = self._score.texts
        self._status = outcomes.status[number, column]
        self._low, self._high = float(outcomes.low[number, column]), float(outcomes.high[number, column])
        self._first, self._last = int(outcomes.first[number, column]), int(outcomes.last[number, column])

    def result(self) -> ScoreResult:
        score, known = self._score, not isnan(self._low)
        reason, missing = self._reason(), tuple(self._missing())
        return ScoreResult(
            id=score.id,
            name=score.name,
            status=STATUS_WORDS[self._status],
            value=self._low if known and self._low == self._high else None,
            range=(self._low, self._high) if known and self._low != self._high else None,
            class_word=self._class_word(self._first) if self._first == self._last else None,
            text=" ".join(self._sentences(reason, missing)),
            reason=reason,
            missing=missing,
            population=score.population,
            citations=score.citations,
            source_status=score.status,
        )

    # sentences --------------------------------------------------------------------------------------------------

    def _sentences(self, reason: str | None, missing: tuple[str, ...]) -> Iterator[str]:
        """Alarms first: they are said whatever the score answers."""
        yield from self._said(ALARM)
        if self._status == COMPUTED:
            yield self._filled(self._texts[self._text_key()], reason, missing)
            yield from self._said(REMARK)
            if "line" in self._texts:
                yield self._filled(self._texts["line"], reason, missing)
            return
        word = "Refused" if self._status == REFUSED else "Not computable"
        yield f"{word}: {reason}." + (f" Missing: {', '.join(missing)}." if missing else "")
        if "values" in self._texts and self._status != REFUSED:
            yield self._filled(self._texts["values"], reason, missing)

    def _said(self, group: str) -> Iterator[str]:
        for item in self._compiled.items:
            if item.group == group and self._truth(item) is TRUE:
                yield self._texts[item.id]

    def _text_key(self) -> str:
        if self._first != self._last:
            return "undecided"
        classes = self._classes()
        return str(classes[self._first]["text"]) if self._first != NOTHING else "computed"

    def _filled(self, text: str, reason: str | None, missing: tuple[str, ...]) -> str:
        """The text with its {names} replaced."""
        for name, value in self._fills(reason, missing):
            text = text.replace("{" + name + "}", value)
        return text

    def _fills(self, reason: str | None, missing: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        yield "value", _span(self._low, self._high)
        yield "p", probability(self._low)
        yield "class", self._class_word(self._first) or ""
        yield "first", self._class_word(self._first) or ""
        yield "last", self._class_word(self._last) or ""
        yield "reason", reason or ""
        yield "open", ", ".join(missing)
        yield "absent", f"; {', '.join(missing)} missing" if missing else ""
        yield "items", "; ".join(self._true_items(COUNTED)) or "none"
        markers = self._markers()
        yield "raised", " and ".join(item.text for item in markers if self._truth(item) is TRUE)
        yield "judged", " and ".join(f"{item.text} {self._shown(str(item.about))}" for item in markers)
        for (number, name), (low, high) in self._outcomes.parts.items():
            if number == self._number:
                yield name, _span(float(low[self._column]), float(high[self._column]))
        for name in self._score.needed:
            if name in self._scores.layout.quantity:
                yield name, self._shown(name)
        if self._compiled.model is not None:
            for name in ("source_kind", "version", "approved_by"):
                yield name, str(getattr(self._compiled.model, name))

    # reasons and gaps -------------------------------------------------------------------------------------------

    def _reason(self) -> str | None:
        """All population rules that hold, else the open one, else the formula's own reason."""
        refusal = int(self._outcomes.refusal[self._number, self._column])
        if refusal != NOTHING and self._status == REFUSED:
            named = zip(self._score.refusals, self._compiled.refusals, strict=True)
            return "; ".join(rule.reason for rule, name in named if self._holds(name))
        if refusal != NOTHING:
            return self._score.unknown_refusals[refusal].reason
        why = int(self._outcomes.why[self._number, self._column])
        return str(self._score.constants["reasons"][why]) if why != NOTHING else None  # type: ignore[index]

    def _missing(self) -> Iterator[str]:
        """Inputs that keep the answer open, each once, in the order of the entry."""
        refusal = int(self._outcomes.refusal[self._number, self._column])
        found: list[str] = []
        if self._status == REFUSED and refusal != NOTHING:
            for rule, name in zip(self._score.refusals, self._compiled.refusals, strict=True):
                found += self._gaps(rule.when) if self._holds(name) else ()
        else:
            found += [gap for name in self._score.needed if self._open(name) for gap in self._gaps_of(name)]
            for rule, name in zip(self._score.unknown_refusals, self._compiled.unknowns, strict=True):
                found += self._gaps(rule.when) if self._truth_of(name) is not FALSE else ()
        yield from dict.fromkeys(PRINTED.get(name, name) for name in found)

    def _gaps(self, rule: Predicate) -> list[str]:
        return [name for name in inputs(rule) if not self._exact(name)]

    def _gaps_of(self, name: str) -> list[str]:
        """The needed input itself; of one that was sent as a number the limits that it is held against and that nobody
        has stated."""
        if not self._exact(name):
            return [name]
        items = self._score.constants.get("items", ())
        entries = [entry for entry in items if entry.get("of") == (name,)] if isinstance(items, tuple) else []
        limits = [limit["quantity"] for entry in entries if isinstance(limit := entry.get("above"), dict)]
        return [limit for limit in limits if not self._exact(limit)] or [name]

    def _open(self, name: str) -> bool:
        """A needed input is open while an item on it is; without an item, while it is not one number or word."""
        about = [item for item in self._compiled.items if item.about == name and item.group not in (REMARK, ALARM)]
        if about:
            return any(self._truth(item) is UNKNOWN for item in about)
        alternatives = self._score.constants.get("alternatives", {})
        other = alternatives.get(name) if isinstance(alternatives, dict) else None
        return not self._exact(name) and not (other is not None and self._exact(str(other)))

    def _exact(self, name: str) -> bool:
        layout, facts, column = self._scores.layout, self._outcomes.facts, self._column
        if name in layout.coded:
            code = int(facts.code[layout.coded[name], column])
            return code >= 0 and layout.words[name][code] not in layout.unknown_words.get(name, ())
        row = layout.quantity[name]
        return bool(facts.low[row, column] == facts.high[row, column])

    # values -----------------------------------------------------------------------------------------------------

    def _truth_of(self, name: str) -> Truth:
        return Truth(int(self._outcomes.truth[self._scores.rows[name], self._column]))

    def _holds(self, name: str) -> bool:
        return self._truth_of(name) is TRUE

    def _truth(self, item: Item) -> Truth:
        return self._truth_of(f"{self._score.id}:item:{item.id}")

    def _true_items(self, groups: tuple[str, ...]) -> list[str]:
        return [item.text for item in self._compiled.items if item.group in groups and self._truth(item) is TRUE]

    def _markers(self) -> list[Item]:
        """Judged markers: items of the group that the class rests on, known and not suppressed."""
        group = self._classes()[self._first].get("items") if self._first != NOTHING else None
        known = [item for item in self._compiled.items if item.group == group and self._truth(item) is not UNKNOWN]
        return [item for item in known if not self._suppressed(item.text)]

    def _suppressed(self, text: str) -> bool:
        return any(item.text == text and item.group == REMARK and self._truth(item) is TRUE
                   for item in self._compiled.items)  # fmt: skip

    def _classes(self) -> tuple[dict[str, str], ...]:
        return self._score.constants.get("classes", ())  # type: ignore[return-value]

    def _class_word(self, number: int) -> str | None:
        return self._classes()[number]["word"] if number != NOTHING else None

    def _shown(self, name: str) -> str:
        """A quantity with its unit, as rules read it: "150.0 pg/mL", "not known" or the span of a censored value."""
        layout, facts = self._scores.layout, self._outcomes.facts
        row, entry = layout.quantity[name], layout.entry(name)
        low, high = float(facts.low[row, self._column]), float(facts.high[row, self._column])
        if isnan(low) or entry is None:
            return "not known" if isnan(low) else _span(low, high)
        if low != high:
            if high == inf:
                return f"at least {low:g} {entry.unit}"
            return f"between {low:g} and {high:g} {entry.unit}"
        return f"{low:.{entry.decimals}f} {entry.unit}"


def probability(p: float) -> str:
    """Two significant digits; what would round to 1 is printed as "above 0.99", never as certainty."""
    if isnan(p):
        return ""
    return "above 0.99" if p >= 0.995 else f"{p:.2g}"


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"

"""An interpretation document -> the pages of a laboratory report: what the template shows, read with the same words as
the text report. What was not judged, and why, is said as plainly as what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from csfinterp.formats.report_advice import AUDIENCES
from csfinterp.formats.report_document import Report
from csfinterp.formats.report_groups import GROUPS, place_of
from csfinterp.formats.report_patterns import grade_words, is_absent, is_bare, shown_patterns
from csfinterp.formats.report_words import (
    AGE_UNITS,
    CERTAINTY,
    LM_REASON,
    NOT_JUDGED,
    PRIORITIES,
    Part,
    number,
    part,
    parts,
    plain,
    text,
    texts,
    title,
    unit_text,
    value_text,
    words,
)
from csfinterp.printing.pages import environment
from csfinterp.printing.units import printed_unit

FLAGS = {
    "N": "normal", "L": "low", "H": "high", "LL": "critically low", "HH": "critically high", "A": "abnormal",
    "AA": "critically abnormal",
}  # fmt: skip
_READERS = {name: label.removeprefix("For ") for name, label in AUDIENCES}
_CONTEXT = ("question", "tumor", "clinical_signs", "mri", "biopsy")


@dataclass(frozen=True)
class Line:
    """One row of the table of results. `mark`: normal, abnormal, critical, open, info."""

    name: str
    value: str
    unit: str
    flag: str
    word: str
    mark: str
    reference: str
    note: str


@dataclass(frozen=True)
class Statement:
    """A sentence; `lead` stands before it in bold, `small` behind it."""

    text: str
    lead: str = ""
    small: str = ""


def html(document: Mapping[str, object], diagrams: Sequence[tuple[str, str]] = ()) -> str:
    """The report as an HTML page for paper. `diagrams`: (`pages.data_uri` of a drawing, caption) for each."""
    return environment().get_template("report.html").render(report=_Printed(document), diagrams=diagrams, doc=document)


class _Printed:
    """The document as the template asks for it."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self.document = document
        self._report = Report(document)
        self._cited: dict[str, int] = {}

    # --- head ---

    def identity(self) -> list[tuple[str, str]]:
        patient, specimen = part(self.document, "patient"), part(self.document, "specimen")
        age = part(patient, "age_at_collection")
        unit = text(age, "unit")
        pairs = [
            ("Patient", text(patient, "id")),
            ("Sex", text(patient, "sex")),
            ("Age at collection", f"{text(age, 'value')} {AGE_UNITS.get(unit, unit)}".strip()),
            ("Specimen", text(specimen, "id")),
            ("Material, site", ", ".join(filter(None, [text(specimen, "type").upper(), text(specimen, "site")]))),
            ("Collected", text(specimen, "collected_at").replace("T", " ")),
            ("Received", text(specimen, "received_at").replace("T", " ")),
            ("Report", f"{text(self.document, 'status') or 'status not stated'}, version {self.version}"),
        ]
        return [(label, said or "not stated") for label, said in pairs]

    @property
    def version(self) -> str:
        return text(self.document, "version")

    def context(self) -> str:
        given = part(self.document, "context")
        first = [key for key in _CONTEXT if plain(given.get(key))]
        rest = [key for key in given if key not in _CONTEXT and key != "history" and plain(given.get(key))]
        return "; ".join(f"{self._report.name(key)}: {words(plain(given[key]))}" for key in (*first, *rest))

    def warnings(self) -> list[str]:
        edition, status = part(self.document, "edition"), text(self.document, "status")
        found = [] if status == "final" else [f"This report is {status or 'of unknown status'}, not final."]
        if text(edition, "status") != "released":
            found.append(f"Edition {text(edition, 'id')} is not released: not for use on patients.")
        return found

    def critical(self) -> list[Statement]:
        found = []
        for item in parts(self.document, "critical"):
            told = part(item, "acknowledged")
            done = f"Call recorded: {plain(told)}." if told else "No call recorded yet."
            origin = ", flagged by the laboratory" if text(item, "source") == "laboratory" else ""
            found.append(Statement(self._say(text(item, "reason")), text(item, "level").upper(),
                                   f"{text(item, 'rule')}{origin}. {done}"))  # fmt: skip
        return found

    def emergencies(self) -> list[Statement]:
        shown = [one for one in shown_patterns(self.document) if one.get("emergency") is True]
        return [Statement(self._say(text(one, "text")), f"{title(one)}: {grade_words(one)}.") for one in shown]

    def headline(self) -> str:
        return self._say(text(part(self.document, "summary"), "headline")) or "No summary."

    def certainty(self) -> Statement:
        lm = part(self.document, "lm")
        word = text(lm, "certainty")
        kind = f", type {text(lm, 'type')}" if text(lm, "type") else ""
        provisional = ", PROVISIONAL: an input is missing" if lm.get("provisional") is True else ""
        reason = LM_REASON.get(text(lm, "reason"), words(text(lm, "reason")))
        said = (CERTAINTY.get(word, words(word)) or "not stated") + kind + provisional
        because = "; ".join(map(self._say, texts(lm, "because")))
        missing = "; ".join(self._report.missing(lm))
        small = [reason, f"because {because}" if because else "", f"missing: {missing}" if missing else "",
                 f"row {text(lm, 'row')}" if text(lm, "row") else ""]  # fmt: skip
        return Statement(said, "Leptomeningeal metastasis", "; ".join(filter(None, small)) + self._sources(lm))

    # --- results ---

    def groups(self) -> list[tuple[str, list[Line]]]:
        derived = self._report.derived
        # The limit of a quotient is its reference interval, so it has no row of its own.
        there = [one for one in parts(self.document, "results") if one.get("derived") is not True
                 or (one in derived and not text(one, "analyte").endswith("_limit"))]  # fmt: skip
        there.sort(key=lambda one: (GROUPS.index(place_of(text(one, "analyte"))[0]), place_of(text(one, "analyte"))[1]))
        found = groupby(there, key=lambda one: place_of(text(one, "analyte"))[0])
        return [(name, [self._line(one) for one in members]) for name, members in found]

    def _line(self, result: Part) -> Line:
        flag, why = text(result, "flag"), text(result, "not_judged")
        mark = "info" if why == "info_only" else "open"
        if flag:
            mark = "critical" if result.get("critical") is True else "normal" if flag == "N" else "abnormal"
        open_word = "for information" if why == "info_only" else f"not judged: {NOT_JUDGED.get(why, words(why))}"
        reference = part(result, "reference")
        status = text(reference, "status")
        limits = f"{text(reference, 'text')}{'' if status in ('', 'primary') else f' ({status})'}"
        times = result.get("times_limit")
        over = isinstance(times, int | float) and flag not in ("", "N") and f"{times:.1f}" != "1.0"
        far = f", {number(times)} × limit" if over and isinstance(times, int | float) else ""
        organism = ", ".join(filter(None, [text(result, "organism"), words(text(result, "organism_class"))]))
        own = " ".join(filter(None, [text(result, "laboratory_flag"), text(result, "laboratory_range")]))
        notes = [organism, text(result, "advisory"), f"laboratory's own: {own}" if own else ""]
        return Line(
            self._report.name(text(result, "analyte")), value_text(result) or "–", printed_unit(unit_text(result)),
            flag, FLAGS.get(flag, flag) + far if flag else open_word, mark, limits if reference else "",
            "; ".join(filter(None, notes)),
        )  # fmt: skip

    # --- readings ---

    def findings(self) -> list[Statement]:
        found = []
        for one in parts(self.document, "findings"):
            if text(one, "truth") == "true":
                grade = f" ({text(one, 'severity')})" if text(one, "severity") else ""
                because = "; ".join(map(self._say, texts(one, "because")))
                found.append(Statement(because + self._sources(one), f"{title(one)}{grade}"))
        return found

    def patterns(self) -> list[Statement]:
        """What the values fit, with what speaks against it; what they do not show is named in one line."""
        found, absent, open_ones = [], [], []
        for one in shown_patterns(self.document):
            if is_absent(one):
                absent.append(title(one))
            elif is_bare(one):
                open_ones.append(title(one))
            else:
                found.append(Statement(self._pattern(one), f"{title(one)}: {grade_words(one)}."))
        if open_ones:
            found.append(Statement("; ".join(open_ones) + ".", "Cannot be judged:"))
        if absent:
            found.append(Statement("; ".join(absent) + ". This excludes none of them.", "The values do not show:"))
        return found

    def _pattern(self, one: Part) -> str:
        said = [self._say(text(one, "text"))]
        for label, key in (("Alarm values", "alarms"), ("Against", "against")):
            listed = "; ".join(dict.fromkeys(map(self._say, texts(one, key))))
            said.append(f"{label}: {listed}." if listed else "")
        missing = "; ".join(self._report.missing(one))
        said.append(f"Missing: {missing}." if missing else "")
        if one.get("discordant") is True:
            said.append("DISCORDANT: counter-evidence beside a decisive result; check the identity of the sample.")
        return " ".join(filter(None, said)) + self._sources(one)

    def hematologic(self) -> list[Statement]:
        path, leukemia = part(self.document, "hematologic_cns"), part(self.document, "leukemia_cns")
        found = []
        for label, one in (("Hematologic path", path), ("Leukemia CNS status", leukemia)):
            status = text(one, "status")
            if status and status != "not_applicable":
                said = ": ".join(filter(None, [words(status), self._say(text(one, "text"))]))
                found.append(Statement(said + self._sources(one), label))
        return found

    def liquid_biopsy(self) -> list[Statement]:
        statements = parts(part(self.document, "liquid_biopsy"), "statements")
        return [Statement(self._say(text(one, "text")) + self._sources(one)) for one in statements]

    def scores(self) -> list[Statement]:
        computed = [one for one in parts(self.document, "scores") if text(one, "status") == "computed"]
        return [Statement(self._say(text(one, "text")) + self._sources(one), title(one)) for one in computed]

    def cautions(self) -> list[Statement]:
        """What a reader must not miss; everyday comments are counted, they stand in the full document."""
        found = parts(self.document, "cautions")
        everyday = [one for one in found if text(one, "id").startswith("EC") and one.get("never_folded") is not True]
        told = [Statement(self._say(text(one, "text")) + self._sources(one)) for one in found if one not in everyday]
        more = [Statement(f"{len(everyday)} everyday comments stand in the full document.")] if everyday else []
        return told + more

    def recommendations(self) -> list[Statement]:
        """Advice by priority, each sentence once with its readers; what is only context is left out, as in the text."""
        found = [one for one in parts(self.document, "recommendations") if one.get("context_only") is not True]
        readers: dict[str, list[str]] = {}
        for one in found:
            readers.setdefault(text(one, "text"), []).append(_READERS.get(text(one, "audience"), "all"))
        first = {text(one, "text"): one for one in reversed(found) if one.get("folded") is not True}
        told = [one for one in found if first.get(text(one, "text")) is one]
        to = {said: " and ".join(dict.fromkeys(names)) for said, names in readers.items()}
        advice = [Statement(self._say(text(one, "text")) + self._sources(one), self._priority(one),
                            f"For {to[text(one, 'text')]}.") for one in told]  # fmt: skip
        folded = len({text(one, "text") for one in found} - set(first))
        return [*advice, Statement(f"{folded} more in the full document.")] if folded else advice

    @staticmethod
    def _priority(one: Part) -> str:
        return PRIORITIES.get(text(one, "priority"), "").upper()

    def quality(self) -> list[Statement]:
        found = []
        there = {text(result, "analyte") for result in parts(self.document, "results")}
        for rule in parts(self.document, "quality"):
            if text(rule, "truth") == "true":
                withheld = self._report.listed(name for name in texts(rule, "suppresses") if name in there)
                small = f"Withheld: {withheld}." if withheld else ""
                said = self._say(text(rule, "text")) or title(rule)
                found.append(Statement(said + self._sources(rule), text(rule, "severity"), small))
        return found

    def issues(self) -> list[Statement]:
        return [Statement(text(one, "message") or words(text(one, "code")), text(one, "severity"))
                for one in parts(self.document, "issues")]  # fmt: skip

    # --- end ---

    def citations(self) -> list[tuple[int, str]]:
        """The sources that this report names, in the order in which it names them. Ask for them last."""
        entries = {text(one, "id"): one for one in parts(self.document, "citations")}
        found = []
        for name, place in self._cited.items():
            one = entries.get(name, {"text": name})
            doi, status = text(one, "doi"), text(one, "status")
            mark = f" ({status})" if status not in ("", "primary") else ""
            found.append((place, (text(one, "text") or name) + (f" doi:{doi}" if doi else "") + mark))
        return found

    def foot(self) -> str:
        edition, rules = part(self.document, "edition"), part(self.document, "site_rules")
        software = part(self.document, "software")
        said = [
            f"Edition {text(edition, 'id')} ({text(edition, 'status')}) {text(edition, 'digest')}",
            f"site rules {text(rules, 'id')}" if rules else "",
            f"{text(software, 'name')} {text(software, 'version')}",
            f"panel {text(self.document, 'panel_id') or 'not stored'}",
            f"made {text(self.document, 'generated_at')}",
        ]
        return " · ".join(filter(None, said))

    def running(self) -> str:
        """Repeated on every page, so that a single sheet can be told whose it is."""
        patient, specimen = part(self.document, "patient"), part(self.document, "specimen")
        return f"Patient {text(patient, 'id') or 'not stated'} · Specimen {text(specimen, 'id')}"

    def _say(self, sentence: str) -> str:
        return self._report.said(sentence)

    def _sources(self, of: Part) -> str:
        names = [name for name in texts(of, "citations") if name]
        numbers = [str(self._cited.setdefault(name, len(self._cited) + 1)) for name in dict.fromkeys(names)]
        marks = f" [{', '.join(numbers)}]" if numbers else ""
        status = text(of, "status") if text(of, "status") in ("secondary", "recalled", "derived", "ours") else ""
        return marks + (f" ({status})" if status else "")

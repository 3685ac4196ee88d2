"""What an interpretation says, as OBX rows with comments: critical values, results, findings, LM, patterns, advice.

Every code of ours is marked 99CSFI; a LOINC code stands first where the document has one. A result that was not judged
has no flag, never N: the reason is its comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from csfinterp.formats.hl7_values import OWN_SYSTEM
from csfinterp.formats.report_document import Report
from csfinterp.formats.report_words import (
    GRADES,
    LEUKEMIA_REASON,
    LM_REASON,
    NOT_JUDGED,
    SCORE_STATUS,
    Part,
    as_sent,
    part,
    parts,
    sent_text,
    text,
    texts,
    title,
    value_text,
    words,
)

Coded = tuple[str, str, str]  # code, text, system
LONGEST_STRING = 190  # of a value; a longer text is TX, its lines as repetitions


@dataclass(frozen=True)
class Row:
    """One OBX: `codes` for OBX-3, `kind` and `value` for OBX-2 and 5 (a tuple: its components)."""

    codes: tuple[Coded, ...]
    kind: str
    value: str | tuple[str, ...]
    sub_id: str = ""
    unit: str = ""
    ucum: bool = True
    range: str = ""
    flag: str = ""
    notes: tuple[str, ...] = ()
    withdrawn: bool = False


def rows(report: Report) -> Iterator[Row]:
    """All rows in a stable order."""
    for section in _SECTIONS:
        yield from section(report)


def _own(code: str, name: str) -> tuple[Coded, ...]:
    return ((code, name, OWN_SYSTEM),)


def _notes(*found: str) -> tuple[str, ...]:
    return tuple(filter(None, (line.strip() for line in found)))


def _coded(
    code: str, name: str, value: str, said: str | None = None, sub_id: str = "", notes: tuple[str, ...] = ()
) -> Row:
    """A row whose value is a word of the interpretation document."""
    return Row(_own(code, name), "CWE", (value, said or words(value), OWN_SYSTEM), sub_id, notes=notes)


def _summary(report: Report) -> Iterator[Row]:
    summary = part(report.document, "summary")
    said = [report.said(text(one, "text")) + report.cited(one) for one in parts(summary, "sentences")]
    yield Row(_own("summary", "Summary"), "TX", text(summary, "headline"), notes=_notes(*said))


def _results(report: Report) -> Iterator[Row]:
    for place, result in enumerate(parts(report.document, "results"), 1):
        own = (text(result, "analyte"), text(result, "name"), OWN_SYSTEM)
        loinc = text(result, "loinc")
        codes = ((loinc, text(result, "name"), "LN"), own) if loinc else (own,)
        read = result.get("value") is not None
        kind, value = _value(result)
        reference = part(result, "reference")
        unit = text(result, "unit") if read else text(part(result, "reported"), "unit")
        yield Row(
            codes, kind, value, str(place), unit, read, text(reference, "text"), text(result, "flag"),
            _result_notes(report, result), withdrawn=not value,
        )  # fmt: skip
        for name in ("organism", "organism_class"):
            if text(result, name):
                yield Row(_own(name, words(name)), "ST", text(result, name), str(place))


def _value(result: Part) -> tuple[str, str | tuple[str, ...]]:
    value, comparator = result.get("value"), text(result, "comparator")
    if value is None:
        sent = sent_text(part(result, "reported"))
        return "ST" if len(sent) <= LONGEST_STRING else "TX", sent
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "CWE", (str(value), words(str(value)), OWN_SYSTEM)
    digits = value_text(result).removeprefix(comparator)
    return ("SN", (comparator, digits)) if comparator else ("NM", digits)


def _result_notes(report: Report, result: Part) -> tuple[str, ...]:
    reason, reference = text(result, "not_judged"), part(result, "reference")
    inputs = report.listed(texts(result, "inputs"))
    rule = text(reference, "rule")
    return _notes(
        f"Not judged ({reason}): {NOT_JUDGED.get(reason, words(reason))}." if reason else "",
        f"Calculated from {inputs}." if inputs else "",
        as_sent(result),
        f"Interval {rule} ({text(reference, 'partition')}).{report.cited(reference)}" if rule else "",
        text(result, "advisory"),
        *(report.said(text(note, "text")) for note in parts(result, "notes")),
        *_laboratory(result),
    )


def _laboratory(result: Part) -> Iterator[str]:
    for key, name in (("laboratory_flag", "Flag"), ("laboratory_range", "Range")):
        if text(result, key):
            yield f"{name} of the laboratory: {text(result, key)}"


def _critical(report: Report) -> Iterator[Row]:
    for place, call in enumerate(parts(report.document, "critical"), 1):
        notes = _notes(f"{report.name(text(call, 'analyte'))}: {report.said(text(call, 'reason'))}")
        yield _coded(
            "critical_value", "Critical value", text(call, "rule"), f"{text(call, 'level')} ({text(call, 'source')})",
            str(place), notes,
        )  # fmt: skip


def _lm(report: Report) -> Iterator[Row]:
    lm = part(report.document, "lm")
    reason = LM_REASON.get(text(lm, "reason"), "")
    missing, settle = report.listed(texts(lm, "missing")), report.listed(texts(lm, "would_settle"))
    notes = _notes(
        f"{text(lm, 'guideline')}, row {text(lm, 'row')}: a statement about evidence, never a probability."
        + report.cited(lm),
        reason,
        report.because(lm),
        f"Missing: {missing}." if missing else "",
        f"Would settle it: {settle}." if settle else "",
        *(text(caution, "text") for caution in parts(lm, "cautions")),
    )
    yield _coded("lm_certainty", "Certainty of leptomeningeal metastasis", text(lm, "certainty"), notes=notes)
    if text(lm, "type"):
        yield _coded("lm_type", "Type of leptomeningeal metastasis", text(lm, "type"))
    if lm.get("provisional"):
        yield _coded("lm_provisional", "Certainty is provisional", "yes")
    for code, name in (
        ("hematologic_cns", "Hematologic disease in the CNS"),
        ("leukemia_cns", "CNS status of leukemia"),
    ):
        found = part(report.document, code)
        if text(found, "status") not in ("", "not_applicable"):
            why = LEUKEMIA_REASON.get(text(found, "reason"), text(found, "reason"))
            missing = report.listed(texts(found, "missing"))
            said = (report.said(text(found, "text")) + report.cited(found), why, report.because(found))
            yield _coded(
                code, name, text(found, "status"), notes=_notes(*said, f"Missing: {missing}." if missing else "")
            )


def _findings(report: Report) -> Iterator[Row]:
    for finding in parts(report.document, "findings"):
        missing, suppressed = report.listed(texts(finding, "missing")), text(finding, "suppressed_by")
        severity = text(finding, "severity")
        known = text(finding, "truth") != "unknown"
        notes = _notes(
            f"Severity: {severity}." if severity else "",
            report.because(finding) + report.cited(finding) if known else "",
            f"Missing: {missing}." if missing else "",
            f"Withheld: {report.name(suppressed)}." if suppressed else "",
        )
        yield _coded(f"finding_{text(finding, 'id')}", title(finding), text(finding, "truth"), notes=notes)


def _patterns(report: Report) -> Iterator[Row]:
    for pattern in parts(report.document, "patterns"):
        if pattern.get("shown"):
            grade, missing = text(pattern, "grade"), report.listed(texts(pattern, "missing"))
            notes = _notes(
                report.said(text(pattern, "text")) + report.cited(pattern), f"Missing: {missing}." if missing else ""
            )
            yield _coded(f"pattern_{text(pattern, 'id')}", title(pattern), grade, GRADES.get(grade, grade), notes=notes)


def _profiles(report: Report) -> Iterator[Row]:
    for profile in parts(report.document, "profiles"):
        if text(profile, "applicability") == "applies":
            counted = ("", text(profile, "abnormal"), "/", text(profile, "evaluable"))
            notes = _notes(report.said(text(profile, "text")) + report.cited(profile), text(profile, "caution"))
            yield Row(_own(f"profile_{text(profile, 'id')}", title(profile)), "SN", counted, notes=notes)


def _quality(report: Report) -> Iterator[Row]:
    for rule in parts(report.document, "quality"):
        if text(rule, "truth") == "true":
            notes = _notes(report.said(text(rule, "text")) + report.because(rule) + report.cited(rule))
            yield _coded(f"quality_{text(rule, 'id')}", title(rule), "true", text(rule, "severity"), notes=notes)


def _issues(report: Report) -> Iterator[Row]:
    for place, issue in enumerate(parts(report.document, "issues"), 1):
        code = text(issue, "code")
        yield _coded("issue", "Issue", code, text(issue, "severity"), str(place), _notes(text(issue, "message")))


def _advice(report: Report) -> Iterator[Row]:
    for place, caution in enumerate(parts(report.document, "cautions"), 1):
        said = report.said(text(caution, "text")) + report.cited(caution)
        yield _coded("caution", "Caution", text(caution, "id"), "caution", str(place), _notes(said))
    for score in parts(report.document, "scores"):
        if text(score, "status") == "computed":
            said = report.said(text(score, "text")) + report.cited(score, "source_status")
            status = SCORE_STATUS["computed"]
            yield _coded(f"score_{text(score, 'id')}", title(score), "computed", status, notes=_notes(said))
    unfolded = [entry for entry in parts(report.document, "recommendations") if not entry.get("folded")]
    for place, entry in enumerate(unfolded, 1):
        said = report.said(text(entry, "text")) + report.because(entry) + report.cited(entry)
        audience = f"for the {words(text(entry, 'audience'))}, priority {text(entry, 'priority')}"
        yield _coded("recommendation", "Recommendation", text(entry, "id"), audience, str(place), _notes(said))


def _provenance(report: Report) -> Iterator[Row]:
    edition, rules = part(report.document, "edition"), part(report.document, "site_rules")
    yield Row(_own("edition", "Edition of the knowledge"), "ST", text(edition, "id"))
    yield Row(_own("edition_digest", "Digest of the edition"), "ST", text(edition, "digest"))
    yield Row(_own("edition_status", "Status of the edition"), "ST", text(edition, "status"))
    if text(rules, "id"):
        yield Row(_own("site_rules", "Site rules"), "ST", text(rules, "id"))
        yield Row(_own("site_rules_digest", "Digest of the site rules"), "ST", text(rules, "digest"))
    listed = "\n".join(_source(place, one) for place, one in enumerate(parts(report.document, "citations"), 1))
    yield Row(_own("sources", "Sources"), "TX", listed)


def _source(place: int, source: Part) -> str:
    doi, pmid, status = text(source, "doi"), text(source, "pmid"), text(source, "status")
    named = (doi and f"doi {doi}", pmid and f"PMID {pmid}", status if status != "primary" else "")
    return f"[{place}] " + ", ".join(filter(None, (text(source, "text"), *named)))


_SECTIONS: tuple[Callable[[Report], Iterator[Row]], ...] = (
    _summary, _critical, _results, _lm, _findings, _patterns, _profiles, _quality, _issues, _advice, _provenance,
)  # fmt: skip

"""What earlier panels of a patient give to the next one: `context.history`, filled before the core runs (SL11)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from csfinterp.model.edition import CodedValue, Edition
from csfinterp.model.interpretation import Interpretation, Result
from csfinterp.store import Collected, EarlierPanel

# A finding of the edition says that an analyte was positive; the first panel where it was TRUE is the first finding.
FIRST_FINDINGS = {
    "csf_cytology": "tumor_cells_in_csf",
    "csf_flow_cytometry": "aberrant_cells_by_flow",
    "csf_blasts_pct": "blasts_present",
}
_CYTOLOGY, _QUOTIENT = "csf_cytology", "albumin_quotient"
# The value itself stands; there only was no interval to judge it by.
_VALUE_STANDS = (
    None, "info_only", "no_interval", "no_interval_for_age", "no_interval_for_site", "age_missing", "age_too_coarse",
)  # fmt: skip


def history_of(earlier: Iterable[EarlierPanel], edition: Edition, collected: Collected) -> dict[str, object]:
    """`context.history` from the earlier panels of the patient, oldest first; empty if there are none.

    `collected`: the collection time of the panel that it is for. `csf_cytology`: the best word in the edition's order,
    of the first sample that had it. `csf_samples_examined`: the punctures with a cytology, this one included; panels
    of one collection time (sent by two systems, or in parts) are one puncture. `albumin_quotient`: the last one, in
    its canonical unit.
    `first_finding`: per analyte the first panel where it was found.
    """
    rows = [(json.loads(row.contributes), row) for row in earlier]
    if not rows:
        return {}
    history: dict[str, object] = {}
    rank = {value.word: number for number, value in enumerate(_cytology_values(edition))}
    words = [(rank[given[_CYTOLOGY]], number) for number, (given, _) in enumerate(rows) if given.get(_CYTOLOGY) in rank]
    if words:
        given, row = rows[min(words)[1]]
        history[_CYTOLOGY] = {"value": given[_CYTOLOGY], **_source(row)}
    punctures = {_puncture(rows[number][1].collected, number) for _, number in words}
    history["csf_samples_examined"] = len(punctures - {_puncture(collected, None)}) + 1
    quotients = [{"value": given[_QUOTIENT], **_source(row)} for given, row in rows if _QUOTIENT in given]
    if quotients:
        history[_QUOTIENT] = quotients[-1]
    firsts: dict[str, object] = {}
    for given, row in rows:
        for analyte in given["found"]:
            firsts.setdefault(analyte, _source(row))
    if firsts:
        history["first_finding"] = firsts
    return history


def contribution_of(answer: Interpretation, edition: Edition) -> dict[str, object]:
    """What one answer gives to later panels: words, numbers and findings as the edition read them."""
    given: dict[str, object] = {}
    order = {value.word: (number, value.not_judged) for number, value in enumerate(_cytology_values(edition))}
    cytology = [row for row in answer.results if row.analyte == _CYTOLOGY and row.value in order]
    # A word that this panel did not count (sent twice, suppressed) does not count for the next one either.
    counted = [order[str(row.value)][0] for row in cytology if row.not_judged == order[str(row.value)][1]]
    if counted:
        given[_CYTOLOGY] = list(order)[min(counted)]
    quotients = [_number_of(row) for row in answer.results if row.analyte == _QUOTIENT]
    if len(quotients) == 1 and quotients[0] is not None:
        given[_QUOTIENT] = quotients[0]
    true = {finding.id for finding in answer.findings if finding.truth == "true"}
    given["found"] = [analyte for analyte, finding in FIRST_FINDINGS.items() if finding in true]
    return given


def _puncture(collected: Collected, number: int | None) -> object:
    """What tells one puncture from another; without a time each panel is its own."""
    return (collected.on, collected.utc) if collected.on is not None else number


def _source(row: EarlierPanel) -> dict[str, object]:
    return {"panel_id": row.panel_id, "collected_at": row.collected.text}


def _cytology_values(edition: Edition) -> tuple[CodedValue, ...]:
    """The words of cytology, best evidence first (lm_evidence.md IN2 is the order of the analyte's file)."""
    analyte = edition.analyte.get(_CYTOLOGY)
    return () if analyte is None else analyte.values


def _number_of(row: Result) -> float | None:
    """The value of a quantity that stands as it is: exact, and not withheld by any rule."""
    stands = isinstance(row.value, int | float) and row.comparator is None and row.not_judged in _VALUE_STANDS
    return float(row.value) if stands and row.value is not None else None

"""EANO-ESMO certainty and the hematologic path of one panel:
the level, why, what is missing and what would settle it."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.model.cohort import Verdict
from csfinterp.model.edition import EvidenceCell
from csfinterp.model.interpretation import HematologicResult, LeukemiaResult, LMBounds, LMCaution, LMIfSolid, LMResult
from csfinterp.model.predicate import TRUE, UNKNOWN, Is, inputs, leaves
from csfinterp.steps.explain.parts import Evidence
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import reasons

EANO, HEMATOLOGIC, LEUKEMIA = "eano_esmo", "hematologic_cns", "leukemia_cns"
PRINTED = {"csf_cytology_best": "csf_cytology"}


def _verdict(row: Row, table: str) -> tuple[Evidence, int, Verdict]:
    evidence = row.parts.evidence[table]
    number = int(row.outcomes.evidence[table][row.column])
    return evidence, number, evidence.verdict(number)


def _ids(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(PRINTED.get(name, name) for name in names)


def lm(row: Row) -> LMResult:
    """The certainty of leptomeningeal metastasis from solid tumors; other kinds of evidence never move it."""
    evidence, number, verdict = _verdict(row, EANO)
    cell, table = verdict.cell, evidence.table
    bounds = LMBounds(*verdict.bounds) if verdict.bounds else None
    return LMResult(
        certainty=verdict.answer,
        type=verdict.type,
        type_open=bool(cell and cell.type_open and "mri" in verdict.missing),
        provisional=verdict.provisional,
        row=_printed(cell),
        bounds=bounds,
        if_solid=_if_solid(evidence, number) if cell and cell.if_solid else None,
        review=bool(cell and cell.review),
        because=tuple(_because(row, evidence, verdict)),
        missing=_ids(verdict.missing),
        would_settle=_ids(verdict.would_settle),
        cautions=tuple(_cautions(row, verdict)),
        guideline=table.guideline,
        citations=tuple(dict.fromkeys((*(cell.citations if cell else ()), *table.citations))),
        status=cell.status if cell else table.status,
        reason=verdict.row.reason if verdict.row else None,
    )


def _printed(cell: EvidenceCell | None) -> str:
    """R number of a cell; a suffix marks the half of a cell with a status of its own and is not printed."""
    return cell.id.split("-")[0] if cell else ""


def _if_solid(evidence: Evidence, number: int) -> LMIfSolid:
    found = evidence.at(number, tumor="solid")
    return LMIfSolid(found.answer, found.type, found.provisional, _printed(found.cell))


def _because(row: Row, evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    """The known inputs, in the order of the table; for cytology also the earlier sample that decided."""
    for name in evidence.table.inputs:
        word = verdict.words[name]
        if name in verdict.missing or word is None or (name == "biopsy" and word == "not_done"):
            continue
        yield f"{PRINTED.get(name, name)} {word}" + (_earlier(row, word) if name in PRINTED else "")


def _earlier(row: Row, word: str) -> str:
    """Names the earlier sample where it decided the best cytology (rulings.md RU6)."""
    if row.word("csf_cytology") == word:
        return ""
    entry = row.panel.context.history.get("csf_cytology")
    if not isinstance(entry, dict):
        return ""
    where = [f"collected {entry['collected_at']}"] if entry.get("collected_at") else []
    where += [f"panel {entry['panel_id']}"] if entry.get("panel_id") else []
    return " (earlier sample" + "".join(f", {part}" for part in where) + ")"


def _cautions(row: Row, verdict: Verdict) -> Iterator[LMCaution]:
    texts = row.parts.edition.texts
    if verdict.cell and verdict.cell.caution_id and verdict.cell.caution:
        yield LMCaution(verdict.cell.caution_id, verdict.cell.caution)
    if verdict.answer == "lack_of_evidence":
        yield LMCaution("not_an_exclusion", texts["lm_not_an_exclusion"])
    letters = row.parts.evidence[EANO].table.letters
    if letters.get(verdict.words["mri"] or "") == "D" and row.word("mri_extent") == "brain_only":
        yield LMCaution("spine_not_imaged", texts["spine_not_imaged"])


def _with_today(row: Row, text: str, because: tuple[str, ...]) -> str:
    """Where an earlier sample decided: which one, and that this sample does not undo it (IN2)."""
    earlier = next(
        (reason.partition("(earlier sample")[2].rstrip(")") for reason in because if "(earlier" in reason), None
    )
    if earlier is None:
        return text
    today = row.word("csf_cytology")
    now = f"; cytology of this sample is {today}, which does not undo it" if today else ""
    return f"{text.rstrip('.')} (earlier sample{earlier}{now})."


def leukemia(row: Row) -> LeukemiaResult:
    """CNS status of acute lymphoblastic leukemia (scores.md S7):
    first TRUE row, provisional while an earlier is open."""
    table = row.parts.column_evidence[LEUKEMIA].table
    winner = int(row.outcomes.evidence[LEUKEMIA][row.column])
    found = table.rows[winner] if winner < len(table.rows) else None
    truths = row.outcomes.rows[LEUKEMIA][:winner, row.column].tolist()
    open_rows = [candidate for candidate, truth in zip(table.rows, truths, strict=False) if truth == UNKNOWN]
    answer = found.answer if found else table.otherwise
    applies = answer != "not_applicable"
    names = [name for name in table.inputs if not row.is_known(name)] if applies else []
    settle = [name for name in names if any(name in inputs(candidate.when) for candidate in open_rows)]
    used = found if applies else None
    return LeukemiaResult(
        status=answer,
        row=int(used.id.split("-")[0]) if used else None,
        provisional=bool(open_rows) and applies and answer != table.otherwise,
        reason=found.reason if found else None,
        text=(found.text or "") if found else "",
        because=tuple(dict.fromkeys(reasons(used.when, TRUE, row))) if used else (),
        missing=tuple(names),
        would_settle=tuple(settle),
        citations=found.citations if found else table.citations,
        source_status=found.status if found else table.status,
    )


def hematologic(row: Row) -> HematologicResult:
    """The path beside the grid for hematologic disease (lm_evidence.md section 15)."""
    _, _, verdict = _verdict(row, HEMATOLOGIC)
    found = verdict.row
    applies = verdict.answer != "not_applicable"
    used = [leaf for leaf in leaves(found.when) if isinstance(leaf, Is)] if found else []
    because = tuple(
        f"{PRINTED.get(leaf.input, leaf.input)} {verdict.words[leaf.input]}"
        + (_earlier(row, verdict.words[leaf.input] or "") if leaf.input in PRINTED else "")
        for leaf in used
        if row.truth(leaf) is TRUE and leaf.input != "tumor"
    )
    missing = _ids(tuple(name for name in verdict.missing if name != "tumor")) if applies else ()
    return HematologicResult(
        status=verdict.answer,
        row=found.id.split("-")[0] if found and applies else None,
        text=_with_today(row, (found.text or "") if found else "", because),
        because=tuple(dict.fromkeys(because)) if applies else (),
        missing=missing,
        would_settle=missing if verdict.answer in ("incomplete", "undecided") else (),
        citations=found.citations if found else (),
    )

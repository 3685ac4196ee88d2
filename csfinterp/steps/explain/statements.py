"""Quality rules, findings and profiles of one panel, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.model.edition import Finding, GradeScale, Profile, ProfileMarker
from csfinterp.model.interpretation import FindingResult, MarkerResult, ProfileResult, QualityResult
from csfinterp.model.predicate import FALSE, TRUE, UNKNOWN, Flagged, Holds, Predicate, Truth, inputs, leaves
from csfinterp.steps.explain.phrases import fill
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import reasons

CYTOLOGY = {"csf_cytology_best": "csf_cytology"}


def quality(row: Row) -> tuple[QualityResult, ...]:
    """The quality rules that hold, in the order of the edition."""
    return tuple(
        QualityResult(
            id=rule.id,
            rule=rule.rule,
            name=rule.name,
            truth=TRUE.word,
            severity=rule.severity,
            suppresses=rule.suppresses,
            because=tuple(dict.fromkeys(reasons(rule.when, TRUE, row.before))),
            text=fill(row, rule.text),
            citations=rule.citations,
            status=rule.status,
        )
        for number, rule in enumerate(row.parts.edition.quality)
        if row.quality[number] == TRUE
    )


def findings(row: Row) -> tuple[FindingResult, ...]:
    """Every finding of the edition with its truth."""
    return tuple(_finding(row, finding) for finding in row.parts.edition.findings)


def _finding(row: Row, finding: Finding) -> FindingResult:
    truth = row.statement(finding.id)
    vetoes = row.suppressing(finding.id)
    because = () if truth is UNKNOWN else tuple(dict.fromkeys(reasons(finding.when, truth, row)))
    return FindingResult(
        id=finding.id,
        name=finding.name,
        truth=truth.word,
        severity=_grade(row, finding) if truth is TRUE else None,
        because=because,
        missing=tuple(missing(row, finding.when)) if truth is UNKNOWN and not vetoes else (),
        suppressed_by=vetoes[0].id if vetoes else None,
        citations=_sources(row, finding),
        status=finding.status,
    )


def _sources(row: Row, finding: Finding) -> tuple[str, ...]:
    """The finding's own sources and those of the interval rows that its flags come from."""
    found = dict.fromkeys(finding.citations)
    for place in row.parts.judging[finding.id]:
        if row.intervals[place] >= 0:
            found |= dict.fromkeys(row.parts.intervals.rows[row.intervals[place]].citations)
    return tuple(found)


def missing(row: Row, predicate: Predicate) -> Iterator[str]:
    """Inputs of the open leaves, each once; of a statement that is referred to, its own open leaves."""
    stands_in = {"csf_nucleated_cells"} if "csf_leukocytes" in row.sent else set()  # ER10: it would change nothing
    yield from dict.fromkeys(CYTOLOGY.get(name, name) for name in _open(row, predicate) if name not in stands_in)


def _open(row: Row, predicate: Predicate) -> Iterator[str]:
    for leaf in leaves(predicate):
        if row.truth(leaf) is not UNKNOWN:
            continue
        named = row.named(leaf.id) if isinstance(leaf, Holds) and leaf.at_least is None else None
        if named is not None:
            yield from _open(row, named)
        elif isinstance(leaf, Holds):
            yield leaf.id
        else:
            names = inputs(leaf)
            open_ = [name for name in names if isinstance(leaf, Flagged) or not row.is_known(name)]
            yield from open_ or names[:1]  # known only as a range that the limit divides


def _grade(row: Row, finding: Finding) -> str | None:
    """Word of the grade scale, in its order; None below the age from which grades are used."""
    scale = next((found for found in row.parts.edition.grade_scales if found.id == finding.grades), None)
    if scale is None or not _old_enough(row, scale):
        return None
    ends = row.ends(scale.quantity)
    words = {_grade_word(scale, end) for end in ends} if ends else set()
    return words.pop() if len(words) == 1 else None


def _grade_word(scale: GradeScale, value: float) -> str | None:
    """First grade of the scale that holds for one number."""
    for grade in scale.grades:
        if grade.below is None and grade.at_most is None:
            return grade.word
        if (grade.below is not None and value < grade.below) or (grade.at_most is not None and value <= grade.at_most):
            return grade.word
    return None


def _old_enough(row: Row, scale: GradeScale) -> bool:
    name = "age_years" if scale.age_from.unit == "a" else "age_days"
    value = row.low[row.layout.quantity[name]]
    return bool(value >= scale.age_from.value)


def profiles(row: Row) -> tuple[ProfileResult, ...]:
    """Both profiles, always; the text speaks only of agreement, never of a probability."""
    return tuple(_profile(row, profile) for profile in row.parts.edition.profiles)


def _profile(row: Row, profile: Profile) -> ProfileResult:
    start = row.parts.profile_start[profile.id]
    truths = row.outcomes.profile[start : start + len(profile.markers), row.column].tolist()
    markers = tuple(
        _marker(row, profile, marker, Truth(truth)) for marker, truth in zip(profile.markers, truths, strict=True)
    )
    scored = [found for found in markers if found.scored]
    abnormal = sum(found.truth == "true" for found in scored)
    evaluable = sum(found.truth != "unknown" for found in scored)
    applicability, reason = _applicability(row, profile)
    return ProfileResult(
        id=profile.id,
        name=profile.name,
        applicability=applicability,
        reason=reason,
        abnormal=abnormal,
        evaluable=evaluable,
        text=_profile_text(profile, abnormal, evaluable, len(scored)),
        markers=markers,
        caution=profile.caution,
        citations=profile.citations,
        status=profile.status,
    )


def _profile_text(profile: Profile, abnormal: int, evaluable: int, scored: int) -> str:
    if evaluable == 0:
        return "Not evaluable: none of the profile's markers could be judged."
    text = f"Abnormal in the profile's direction: {abnormal} of {evaluable} evaluable markers (of {scored})."
    if evaluable < 3:
        text += f" {profile.few_markers[0].upper()}{profile.few_markers[1:].rstrip('.')}."
    if abnormal == 0 and evaluable == scored:
        text += f" {profile.normal_caution}"
    return text


def _applicability(row: Row, profile: Profile) -> tuple[str, str | None]:
    tumor = row.word("tumor")
    if tumor == profile.tumor:
        return "applies", None
    if tumor == "unknown":
        return "unknown", "The tumor class is not known."
    if tumor == "primary_cns":
        return "does_not_apply", "No published profile is loaded for primary tumors of the central nervous system."
    if tumor == "none":
        return "does_not_apply", "No tumor is known."
    return "does_not_apply", f"The tumor is {tumor}; this profile is of {profile.tumor} tumors."


def _marker(row: Row, profile: Profile, marker: ProfileMarker, truth: Truth) -> MarkerResult:
    notes = [marker.note] if marker.note else []
    if marker.extra:
        notes.append(marker.extra)
    if truth is not UNKNOWN:
        notes += _marks(row)
    if marker.disputed:  # a direction that nobody can vouch for is compared with nothing (profiles.md section 5)
        truth = UNKNOWN
    agreement = {TRUE: "agrees", FALSE: "differs", UNKNOWN: "not_evaluable"}[truth]
    return MarkerResult(
        id=marker.id,
        direction=marker.direction,
        scored=marker.scored,
        disputed=marker.disputed,
        truth=truth.word,
        agreement=agreement,
        flag=row.flag(marker.id),
        cohort_share=marker.share,
        cohort_n=marker.cohort_n,
        entry_criterion=profile.entry_criterion,
        note="; ".join(notes) or None,
        citations=marker.citations,
        status=marker.status,
    )


def _marks(row: Row) -> list[str]:
    """The words of quality rules that mark values: blood marks protein, quotient and cells alike (profiles.md 8.5)."""
    rules = row.parts.edition.quality
    found = [rule.mark for number, rule in enumerate(rules) if rule.mark and row.quality[number] == TRUE]
    return list(dict.fromkeys(found))

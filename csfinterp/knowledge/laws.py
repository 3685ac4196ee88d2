"""What no single entry can promise: the list of laws that an edition keeps."""

from __future__ import annotations

from csfinterp.errors import EditionError
from csfinterp.knowledge import law_numbers, law_readings, law_references, law_scores, law_texts, totality
from csfinterp.knowledge.subject import Subject

LAWS = (
    law_references.citations_law,
    law_references.ids_law,
    law_numbers.units_law,
    law_numbers.loinc_law,
    law_references.words_law,
    law_references.links_law,
    law_references.derived_law,
    law_numbers.partitions_law,
    law_numbers.critical_law,
    law_references.limits_law,
    law_references.targets_law,
    law_readings.statement_ids_law,
    law_readings.order_law,
    law_readings.silence_law,
    law_readings.patterns_law,
    law_readings.cautions_law,
    law_readings.organisms_law,
    law_readings.summary_law,
    law_scores.scores_law,
    law_scores.items_law,
    law_texts.placeholders_law,
    law_texts.doses_law,
    law_texts.exclusions_law,
    law_references.profiles_law,
    law_references.tables_law,
    law_numbers.options_law,
)
SLOW_LAWS = (law_numbers.pint_law, totality.tables_total_law)


def check(subject: Subject, *, thorough: bool = True) -> list[EditionError]:
    """All slips of an edition. `thorough`: also the slow laws (every factor against pint, every cell of the tables)."""
    found = [slip for law in LAWS for slip in law(subject)]
    if thorough:
        found += [slip for law in SLOW_LAWS for slip in law(subject)]
    return found

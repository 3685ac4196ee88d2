"""The researcher's table says of every panel what its interpretation document says, and its dictionary names it all."""

from __future__ import annotations

import pytest

from csfinterp.cohort.columns import BOOLEAN, COUNT, NUMBER, columns
from csfinterp.cohort.table import Table
from csfinterp.formats import panel_json
from csfinterp.steps.pipeline import Core
from tests.cohort.rows import row_of
from tests.making import answered
from tests.random_panels import random_panel
from tests.test_cases import VIGNETTES, document

KINDS = {NUMBER: float, COUNT: int, BOOLEAN: bool}


@pytest.fixture(scope="module")
def table(core: Core) -> Table:
    return Table(core)


def test_every_row_is_its_interpretation_document_value_by_value(table: Table, core: Core) -> None:
    sent = [*map(document, VIGNETTES), *map(random_panel, range(300))]
    rows = table.panels([panel_json.read_document(one) for one in sent]).plain()
    ids = [column.name.removesuffix("_flag") for column in table.columns if column.name.endswith("_flag")]
    for one, answer, row in zip(sent, answered(core, sent), rows, strict=True):
        expected = {**dict.fromkeys(row), **row_of(answer, one, ids)}
        assert expected == row


def test_a_row_does_not_depend_on_its_neighbors(table: Table) -> None:
    panels = [panel_json.read_document(random_panel(seed)) for seed in range(40)]
    assert [table.panels([panel]).plain()[0] for panel in panels] == table.panels(panels).plain()


def test_the_dictionary_covers_every_column_in_order_and_its_type(table: Table) -> None:
    rows = table.panels([panel_json.read_document(one) for one in map(document, VIGNETTES)]).plain()
    named = {column.name: column for column in table.columns}
    assert len(named) == len(table.columns)
    for row in rows:
        assert list(row) == list(named)
        for name, value in row.items():
            assert value is None or type(value) is KINDS.get(named[name].type, str), name


def test_every_column_is_explained(core: Core) -> None:
    for column in columns(core.edition):
        assert column.meaning and column.source, column.name
        assert bool(column.unit) <= (column.type == NUMBER), column.name


def test_the_columns_are_those_of_the_contract(core: Core) -> None:
    names = [column.name for column in columns(core.edition)]
    assert names[:5] == ["panel_id", "patient_id", "collected_at", "edition", "edition_digest"]
    assert {"csf_protein", "csf_protein_comparator", "csf_protein_flag", "igg_intrathecal_pct_flag"} <= set(names)
    assert {"finding_pleocytosis", "profile_solid_tumor_abnormal", "profile_hematologic_evaluable"} <= set(names)
    assert {"lm_certainty", "lm_type", "lm_provisional", "lm_row", "hematologic_cns", "leukemia_cns"} <= set(names)
    assert {"pattern_bacterial_meningitis", "score_gao2022_b", "score_gao2022_b_status"} <= set(names)
    assert names[-2:] == ["critical", "issues"]

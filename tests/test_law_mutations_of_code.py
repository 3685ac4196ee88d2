"""Laws that the code keeps, not a rule of the edition: with the step or the service broken as said, the very test of
the law fails. Rules of the edition are mutated in tests/test_law_mutations.py; at the end: no law is left without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csfinterp import service as hall
from csfinterp.errors import EditionError
from csfinterp.formats import panel_json
from csfinterp.knowledge import coefficients
from csfinterp.knowledge.shape import Text, maybe_text
from csfinterp.model.cohort import Outcomes
from csfinterp.model.edition import Edition
from csfinterp.service import Service
from csfinterp.steps.layout import FLAG
from csfinterp.steps.pattern import GRADE
from csfinterp.steps.pipeline import Core
from csfinterp.steps.quantities import QuantityReader
from tests import test_law_mutations
from tests import test_laws as laws
from tests.making import answered, interpreting
from tests.steps.lm_table import Combination
from tests.steps.test_lm_cross_product import document

BITES = (AssertionError, pytest.fail.Exception)  # an assertion, or pytest.raises that saw nothing raised


# SL14: a module that writes to the level.

Writes = Callable[[Core, Outcomes], np.ndarray]


def of_profile(core: Core, found: Outcomes) -> np.ndarray:
    """Two markers or more are abnormal in the direction of the solid-tumor profile."""
    start = core.profiles.start["solid_tumor"]
    return np.count_nonzero(found.profile[start : start + 4] == 2, axis=0) >= 2


def of_pattern(core: Core, found: Outcomes) -> np.ndarray:
    """The CSF pattern of leptomeningeal metastasis fits at least partly."""
    row = [pattern.id for pattern in core.edition.patterns].index("leptomeningeal_metastasis_csf")
    return found.graded.grade[row] >= GRADE["partly_fits"]


def of_flag(core: Core, found: Outcomes) -> np.ndarray:
    """The leukocyte count is high."""
    return np.isin(found.flag[core.layout.statement["csf_leukocytes"]], [FLAG["H"], FLAG["HH"]])


def written(edition: Edition, writes: Writes, monkeypatch: pytest.MonkeyPatch) -> Core:
    """A core whose level is "confirmed" wherever a module says so."""
    core = Core(edition)
    cells = document(Combination("solid", "not_done", "positive", "linear", "typical"))
    confirmed = core.outcomes([panel_json.read_document(cells)]).evidence["eano_esmo"][0]
    run = core.run

    def writing(observations: Any, subjects: Any) -> Outcomes:
        found = run(observations, subjects)
        level = np.where(writes(core, found), confirmed, found.evidence["eano_esmo"])
        return replace(found, evidence={**found.evidence, "eano_esmo": level})

    monkeypatch.setattr(core, "run", writing)
    return core


@pytest.mark.parametrize("writes", [of_profile, of_pattern, of_flag])
def test_sl14_bites_when_a_module_writes_to_the_level(
    edition: Edition, writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = written(edition, writes, monkeypatch)
    with pytest.raises(AssertionError):
        laws.test_sl14_profiles_never_write_to_the_level(interpreting(core), "solid")
    documents = answered(core, laws.RANDOM[:60])
    with pytest.raises(AssertionError):
        laws.test_sl14_levels_are_the_same_without_the_other_modules(edition, documents)


# SL21: the reader of units takes the canonical unit where none was sent.


def test_sl21_bites_when_a_unit_is_guessed(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    read = QuantityReader._read_unit

    def guessing(self: QuantityReader, row: int, text: str | None) -> tuple[float, float, int]:
        return read(self, row, text or self._layout.analyte_quantities[row].unit)

    monkeypatch.setattr(QuantityReader, "_read_unit", guessing)
    interpret = interpreting(Core(edition))
    for name in laws.FULL:
        with pytest.raises(AssertionError):
            laws.test_sl21_no_unit_no_interpretation(interpret, name)


# SL51: one check of coefficient files after the other is left out.


class WithoutApprover(coefficients.CoefficientsSchema):
    approved_by = Text(load_default="")


class WithoutDefinition(coefficients.BinarySchema):
    definition = maybe_text()


def stated(text: str) -> str:
    """The signature that a file states, taken for the one that fits."""
    found = re.search(r'^signature: "(.*)"', text, re.MULTILINE)
    return found.group(1) if found else ""


CHECKS: dict[str, tuple[str, object]] = {
    "the signature is not compared": ("signature_of", stated),
    "the self-tests are not run": ("_run_self_tests", lambda *_: None),
    "a missing approver is blank": ("CoefficientsSchema", WithoutApprover),
    "a missing definition is none": ("SHAPES", {**coefficients.SHAPES, "binary": WithoutDefinition}),
}


@pytest.mark.parametrize(("name", "instead"), CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("model", ["gao2022_a", "gao2022_b"])
def test_sl51_bites_when_a_check_is_left_out(
    edition: Edition, monkeypatch: pytest.MonkeyPatch, name: str, instead: object, model: str
) -> None:
    monkeypatch.setattr(coefficients, name, instead)
    with pytest.raises(AssertionError):
        laws.test_sl51_a_file_without_one_of_its_fields_is_refused_as_a_whole(edition, model)


def test_sl51_bites_when_a_refused_file_is_passed_over(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = laws.apply_site_rules

    def lenient(plain: Edition, rules: Any) -> Edition:
        with suppress(EditionError):
            return apply(plain, rules)
        return plain

    monkeypatch.setattr(laws, "apply_site_rules", lenient)
    with pytest.raises(AssertionError):
        laws.test_sl51_a_file_without_one_of_its_fields_is_refused_as_a_whole(edition, "gao2022_a")


# SL71, SL72, SL75: the service, on a real database.


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with laws.opened(tmp_path) as found:
        yield found


def rewriting(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version is stored over the texts of the versions before it."""
    store = service._store
    add = store.add_many

    def over(rows: Any) -> None:
        add(rows)
        with store.engine.begin() as connection:
            for row in rows:
                connection.exec_driver_sql(
                    "UPDATE panel_versions SET interpretation = ? WHERE panel_id = ?",
                    (row.record.interpretation, row.record.panel_id),
                )

    monkeypatch.setattr(store, "add_many", over)


def newest_only(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier version is asked for, the newest is shown."""
    record = service._record
    monkeypatch.setattr(service, "_record", lambda panel_id, _version: record(panel_id, None))


def without_reason(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction is stored as if it were posted first."""
    correction = hall.correction
    monkeypatch.setattr(hall, "correction", lambda *one, **more: replace(correction(*one, **more), reason="posted"))


def answered_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """New content of a specimen gets the stored answer, no version of its own."""
    write = service._write

    def first_only(draft: Any, received: Any) -> Any:
        return write(draft, received) if draft.head is None else service._stored(draft.head.panel_id, 1)

    monkeypatch.setattr(service, "_write", first_only)


Broken = Callable[[Service, pytest.MonkeyPatch], None]


@pytest.mark.parametrize("broken", [rewriting, newest_only, without_reason, answered_again])
def test_sl71_bites_when_a_report_is_changed(service: Service, monkeypatch: pytest.MonkeyPatch, broken: Broken) -> None:
    broken(service, monkeypatch)
    with pytest.raises(AssertionError):
        laws.test_sl71_an_earlier_report_is_never_changed(service)


@pytest.mark.parametrize(("part", "method"), laws.BROKEN)
def test_sl72_bites_when_a_shorter_report_is_given(
    service: Service, edition: Edition, monkeypatch: pytest.MonkeyPatch, part: str, method: str
) -> None:
    """A module that fails is left out, and the rest is answered as if it were all."""
    core = service.core()
    interpret = core.interpret
    bare = Core(replace(edition, differential=None, **dict.fromkeys(laws.MODULES, ())))

    def shorter(panel: Any) -> Any:
        try:
            return interpret(panel)
        except RuntimeError:
            return bare.interpret(panel)

    monkeypatch.setattr(core, "interpret", shorter)
    with pytest.raises(AssertionError):
        laws.test_sl72_a_broken_module_never_gives_a_shorter_report(service, monkeypatch, part, method)


@pytest.mark.parametrize("without_id_only", [False, True])
def test_sl75_bites_when_a_specimen_joins_another_patient(
    service: Service, monkeypatch: pytest.MonkeyPatch, without_id_only: bool
) -> None:
    """The patient of a stored specimen is not compared: never, or where none was sent."""
    head = service._store.head

    def of_anybody(key: Any) -> Any:
        found = head(key)
        blind = key.patient_id is None or not without_id_only
        return replace(found, patient_id=key.patient_id) if found is not None and blind else found

    monkeypatch.setattr(service._store, "head", of_anybody)
    with pytest.raises(BITES):
        laws.test_sl75_patients_are_never_mixed(service)


def test_sl75_bites_when_the_history_is_anybodys(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier panels are looked up without the patient who is asked for."""
    earlier = service._store.earlier
    monkeypatch.setattr(service._store, "earlier", lambda _patient, *more: earlier("MRN-1", *more))
    with pytest.raises(AssertionError):
        laws.test_sl75_history_comes_from_the_same_patient_only(service)


def test_no_law_is_left_without_a_mutant() -> None:
    """Rules of the edition, readings of a panel, and the tests that are named after the law they break."""
    here = [*globals(), *vars(test_law_mutations)]
    named = {name[5:9].upper() for name in here if re.match(r"test_sl\d\d_bites_", name)}
    rules = {one.law for one in test_law_mutations.MUTANTS}
    assert rules | set(test_law_mutations.READ_SO) | named == laws.LAWS

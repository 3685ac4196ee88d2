"""What is measured or calculated: analytes with their codes and words, and derived quantities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from csfinterp.model.edition.intervals import UNBOUNDED, Band, Bounds, ReferenceInterval


@dataclass(frozen=True)
class CodedValue:
    """A word of a coded analyte; `unknown`: the word says that nothing was learned (nondiagnostic, failed)."""

    word: str
    flag: str | None
    not_judged: str | None = None
    unknown: bool = False
    note: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoincCode:
    """`csf_stated`: accepted only where the specimen is stated as CSF. `only_specimens`: accepted only there.

    `surrogate`: stands in only where the same panel has no other code of the analyte (polymorphonuclear cells).
    """

    code: str
    name: str | None
    use: str
    csf_stated: bool = False
    only_specimens: tuple[str, ...] = ()
    tube: int | None = None
    surrogate: bool = False
    note: str | None = None


@dataclass(frozen=True)
class WrongCode:
    """A code that senders use by mistake for this analyte; `right` is what to send."""

    code: str
    meaning: str
    right: str | None
    accept_as: str | None = None


@dataclass(frozen=True)
class InfoRow:
    """Published orientation for an analyte; judges nothing (an analyte with no more than this is `info_only`)."""

    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Analyte:
    """One quantity or coded result in one specimen; an id never changes its meaning.

    `kind`: quantity or coded. `specimen`: csf, serum, plasma, blood, csf_and_serum, patient. `unit`: canonical UCUM
    code. `counterpart`: the same test in the other specimen. `repeats`, what may tell two results apart: tube,
    organism, none; any_positive: nothing, but a positive one counts whatever the others say.
    """

    id: str
    name: str
    kind: str
    specimen: str
    citations: tuple[str, ...]
    status: str
    unit: str | None = None
    decimals: int = 0
    units: tuple[str, ...] = ()
    molar_mass: str | None = None
    molar_mass_assumed: bool = False
    bounds: Bounds = UNBOUNDED
    loinc: tuple[LoincCode, ...] = ()
    wrong_codes: tuple[WrongCode, ...] = ()
    intervals: tuple[ReferenceInterval, ...] = ()
    bands: tuple[Band, ...] = ()
    info: tuple[InfoRow, ...] = ()
    values: tuple[CodedValue, ...] = ()
    needs_organism: bool = False
    counterpart: str | None = None
    repeats: str = "none"
    unit_required_explicit: bool = False
    traps: str | None = None
    file: str | None = None

    @property
    def preferred_loinc(self) -> str | None:
        """The first accepted code, or None where no LOINC is known to the edition."""
        return next((code.code for code in self.loinc if code.use == "accept" and not code.csf_stated), None)

    def loinc_beside(self, sent: str | None, *, converted: bool) -> str | None:
        """The LOINC code for a result in the canonical unit: the one sent, if its property (mass or moles) is that of
        the unit, else the first accepted one of that property, else None.

        `converted` False: no value stands in the canonical unit, so a code that was sent stays.
        """
        if self.molar_mass is None:  # one property only
            return sent or self.preferred_loinc
        if not converted:
            return sent
        fitting = [code.code for code in self.loinc if code.use == "accept" and self._fits(code)]
        return sent if sent in fitting else next(iter(fitting), None)

    def _fits(self, code: LoincCode) -> bool:
        """A code whose long name was not read has no known property and does not fit."""
        wanted = "[Moles/volume]" if "mol" in (self.unit or "") else "[Mass/volume]"
        return wanted in (code.name or "")


@dataclass(frozen=True)
class Derived:
    """A calculated quantity. `function` names a function of steps/formulas.py; `constants` are its numbers.

    `kind`: derived (listed among the results) or helper (for rules only). `pair`: the serum pair that it rests on
    ("protein", "glucose" or None). `report_if_missing`: listed with `pair_missing` where only one side was sent.
    """

    id: str
    name: str
    kind: str
    function: str
    inputs: tuple[str, ...]
    unit: str
    decimals: int
    constants: Mapping[str, float]
    formula: str
    citations: tuple[str, ...]
    status: str
    pair: str | None = None
    report_if_missing: bool = False
    intervals: tuple[ReferenceInterval, ...] = ()
    note: str | None = None

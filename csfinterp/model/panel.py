"""The panel as received: nothing lost, nothing judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class Code:
    """An analyte id or local string (`system` None), or a code of a code system (LOINC or local)."""

    code: str
    system: str | None = None
    display: str | None = None


@dataclass(frozen=True)
class Variant:
    """A tumor DNA variant as reported; `vaf_pct` is the variant allele fraction in percent."""

    gene: str
    hgvs: str | None = None
    vaf_pct: float | None = None


@dataclass(frozen=True)
class Observation:
    """One result as received. `value` is the text exactly as sent ("1.0" stays "1.0"); None if no value was sent.

    `value_type`: text where a number came in a text field of a format that has a field for numbers (HL7 v2, FHIR).
    """

    code: Code
    value: str | None = None
    comparator: str | None = None
    unit: str | None = None
    absent_reason: str | None = None
    organism: str | None = None
    organism_class: str | None = None
    variants: tuple[Variant, ...] = ()
    specimen: str | None = None
    collected_at: datetime | date | None = None
    analyzed_at: datetime | date | None = None
    method: str | None = None
    tube: int | None = None
    status: str | None = None
    note: str | None = None
    laboratory_flag: str | None = None
    laboratory_range: str | None = None
    value_type: str | None = None


@dataclass(frozen=True)
class Age:
    """Age at collection sent as a number; `unit` is UCUM a, mo, wk or d."""

    value: float
    unit: str


@dataclass(frozen=True)
class Patient:
    id: str | None = None
    birth_date: date | None = None
    age: Age | None = None
    sex: str = "unknown"


@dataclass(frozen=True)
class Specimen:
    """`type` is csf, serum, plasma, blood or None (not stated); `volume_ml` in mL."""

    id: str
    type: str | None = None
    site: str = "unknown"
    collected_at: datetime | date | None = None
    received_at: datetime | date | None = None
    volume_ml: float | None = None
    tube: int | None = None
    puncture_number: int | None = None
    tube_count: int | None = None
    position: str = "unknown"
    condition: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    system: str | None = None
    message_id: str | None = None


@dataclass(frozen=True)
class Context:
    """Clinical context. `words`: coded and yes/no ids sent (yes/no as "yes", "no", "unknown"); `numbers`: numeric ids.

    `stated`: facts named by the sender. `history`: what earlier panels contribute, filled by the service.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    tumor_primary: str | None = None
    tumor_diagnosis: str | None = None
    stated: tuple[str, ...] = ()
    history: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """One CSF panel. `document` is the JSON form as received (a plain mapping), kept for storage and printing back."""

    specimen: Specimen
    observations: tuple[Observation, ...]
    patient: Patient = Patient()
    source: Source = Source()
    context: Context = Context()
    status: str = "final"
    document: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

"""Marshmallow schemas of the panel document: which keys and closed words it may have (design/interfaces.md section 1).

A cell of an observation (value, unit, code, comparator) is only checked for its JSON type and length: what it says is
judged by the core, which answers with an issue.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from csfinterp.formats.panel_fields import (
    NEED_OBJECT,
    Day,
    Free,
    Moment,
    MomentText,
    Number,
    NumberOrPart,
    Part,
    Parts,
    Text,
    Value,
    Whole,
    Word,
    Words,
    YesNo,
)
from csfinterp.formats.strict_json import MAX_NAMED, shown_key
from csfinterp.model import context as words

MAX_NOTE = 5_000
AGE_UNITS = ("a", "mo", "wk", "d")
VOLUME_UNITS = {"mL": 1.0, "ml": 1.0, "L": 1000.0, "l": 1000.0, "cL": 10.0, "cl": 10.0}
VOLUME_UNITS |= {"uL": 0.001, "ul": 0.001, "µL": 0.001, "μL": 0.001}
CYTOLOGY_WORDS = ("positive", "suspicious", "atypical", "negative", "nondiagnostic")


class Strict(Schema):
    """Unknown keys are refused by name, with the nearest known ones."""

    class Meta:
        unknown = EXCLUDE  # so that the check below sees them and words the error

    error_messages = {"type": NEED_OBJECT}  # noqa: RUF012 - marshmallow's own form

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown_keys(self, _: Any, original: Any, **kwargs: Any) -> None:
        known = {field.data_key or name for name, field in self.load_fields.items()}
        unknown = sorted(set(original) - known)[:MAX_NAMED] if isinstance(original, Mapping) else []
        if unknown:
            raise ValidationError({key: [_unknown_key(key, known)] for key in unknown})


def _unknown_key(key: str, known: set[str]) -> str:
    name = shown_key(key)
    if name is None:
        return "A key of this object is not known (it is not repeated here). Leave it out."
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"The key {name} is not known here.{hint} Leave out what the panel document does not name."


class SourceSchema(Strict):
    system = Text(filled=True)
    message_id = Text(filled=True)


class AgeSchema(Strict):
    value = Number(least=0, required=True)
    unit = Word(*AGE_UNITS, required=True)


class PatientSchema(Strict):
    id = Text(filled=True)
    birth_date = Day()
    age = Part(AgeSchema)
    sex = Word(*words.SEXES)


class VolumeSchema(Strict):
    value = Number(least=0, required=True)
    unit = Word(*VOLUME_UNITS, required=True)


class SpecimenSchema(Strict):
    id = Text(filled=True, required=True)
    type = Word(*words.SPECIMENS)
    site = Word(*words.SITES)
    collected_at = Moment()
    received_at = Moment()
    volume = Part(VolumeSchema)
    tube = Whole(1, 999)
    puncture_number = Whole(1, 999)
    tube_count = Whole(1, 999)
    position = Word(*words.POSITIONS)
    condition = Words(*words.CONDITIONS)


class CodeSchema(Strict):
    system = Text()
    code = Text(required=True)
    display = Text()


class VariantSchema(Strict):
    gene = Text(filled=True, required=True)
    hgvs = Text()
    vaf_pct = Number()


class ObservationSchema(Strict):
    code = Part(CodeSchema, short="code", required=True)
    value = Value()
    comparator = Text()
    unit = Text()
    absent_reason = Text()
    organism = Text()
    organism_class = Word(*words.ORGANISM_CLASSES)
    variants = Parts(VariantSchema)
    specimen = Word(*words.SPECIMENS)
    collected_at = Moment()
    analyzed_at = Moment()
    method = Text()
    tube = Whole(1, 999)
    status = Word(*words.OBSERVATION_STATUSES)
    note = Text(longest=MAX_NOTE)
    laboratory_flag = Text()
    laboratory_range = Text()
    value_type = Word("number", "text")


TumorSchema = Strict.from_dict(
    {"class": Word(*words.TUMOR_CLASSES), "primary": Text(), "diagnosis": Text()}, name="TumorSchema"
)


class EarlierCytologySchema(Strict):
    value = Word(*CYTOLOGY_WORDS, required=True)
    panel_id = Text()
    collected_at = MomentText()


class EarlierNumberSchema(Strict):
    value = Number(required=True)
    unit = Text()
    panel_id = Text()
    collected_at = MomentText()


class HistorySchema(Strict):
    csf_cytology = Part(EarlierCytologySchema, short="value")
    csf_samples_examined = Number(least=0)
    first_finding = Free()
    albumin_quotient = NumberOrPart(EarlierNumberSchema)


def _context_fields() -> dict[str, fields.Field[Any]]:
    coded = {name: Word(*accepted) for name, accepted in words.CODED_CONTEXT.items() if name != "tumor"}
    yes_no = {name: YesNo() for name in words.YES_NO_CONTEXT}
    numbers = {name: Number(least=0) for name in words.NUMBER_CONTEXT}
    texts = {name: Text() for name in words.TEXT_CONTEXT}
    rest = {"stated": Words(*words.STATED_WORDS), "history": Part(HistorySchema)}
    return {"tumor": Part(TumorSchema, short="class"), **coded, **yes_no, **numbers, **texts, **rest}


ContextSchema = Strict.from_dict(_context_fields(), name="ContextSchema")


class PanelSchema(Strict):
    source = Part(SourceSchema)
    patient = Part(PatientSchema)
    specimen = Part(SpecimenSchema, required=True)
    status = Word(*words.STATUSES)
    context = Part(ContextSchema)
    observations = Parts(ObservationSchema, several="Send a list of at least one observation.")

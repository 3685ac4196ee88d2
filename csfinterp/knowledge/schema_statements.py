"""The schemas of quality rules, findings, grades, profiles, evidence tables and named options: the keys of an entry."""

from __future__ import annotations

from marshmallow import fields, validate

from csfinterp.knowledge.schema_rows import CriticalSchema, DecisionLimitSchema, IntervalSchema
from csfinterp.knowledge.shape import (
    Entry,
    Limit,
    Number,
    Rule,
    Sourced,
    Text,
    Truth,
    Whole,
    many_of,
    maybe_text,
    one_of,
    texts_list,
)
from csfinterp.model.context import NOT_JUDGED, TUMOR_CLASSES


class QualitySchema(Sourced):
    id = Text(required=True)
    rule = maybe_text()
    name = Text(required=True)
    when = Rule(required=True)
    severity = one_of(("note", "warning", "suppresses"), required=True)
    suppresses = texts_list()
    not_judged = one_of(NOT_JUDGED, load_default="suppressed")
    lower_bound = texts_list()
    unread = texts_list()
    silent_if = texts_list()
    marks = texts_list()
    mark = maybe_text()
    headline = maybe_text()
    text = Text(required=True)


class FindingSchema(Sourced):
    id = Text(required=True)
    name = Text(required=True)
    when = Rule(required=True)
    texts = fields.Dict(keys=one_of(("true", "false", "unknown")), values=Text(), load_default=dict)
    grades = maybe_text()
    silent_if = texts_list()
    silent_unless = texts_list()
    rank = Whole(load_default=5)
    silent_if_called = Truth(load_default=False)
    when_false = one_of(("always", "unless_normal"), allow_none=True, load_default=None)
    beside = maybe_text()


class GradeSchema(Entry):
    word = Text(required=True)
    below = Limit(allow_none=True, load_default=None)
    at_most = Limit(allow_none=True, load_default=None)


class GradeScaleSchema(Sourced):
    id = Text(required=True)
    quantity = Text(required=True)
    age_from = Text(required=True)
    grades = fields.Nested(GradeSchema, many=True, required=True)


class MarkerSchema(Sourced):
    id = Text(required=True)
    direction = one_of(("high", "low"), required=True)
    scored = Truth(required=True)
    disputed = Truth(load_default=False)
    share = Number(
        allow_none=True, load_default=None, validate=validate.Range(0, 1, error="a share lies between 0 and 1")
    )
    cohort_n = Whole(allow_none=True, load_default=None)
    note = maybe_text()
    extra = maybe_text()


class ProfileSchema(Sourced):
    id = Text(required=True)
    name = Text(required=True)
    tumor = one_of(TUMOR_CLASSES, required=True)
    cohort = Text(required=True)
    entry_criterion = Text(required=True)
    caution = Text(required=True)
    normal_caution = Text(required=True)
    few_markers = Text(required=True)
    markers = fields.Nested(MarkerSchema, many=True, required=True)


class EvidenceRowSchema(Sourced):
    id = Text(required=True)
    when = Rule(required=True)
    answer = Text(required=True)
    reason = maybe_text()
    type_prefix = one_of(("I", "II"), allow_none=True, load_default=None)
    text = maybe_text()


class EvidenceCellSchema(Sourced):
    id = Text(required=True)
    when = Rule(required=True)
    level = Text(required=True)
    review = Truth(load_default=False)
    type_open = Truth(load_default=False)
    if_solid = Truth(load_default=False)
    caution_id = maybe_text()
    caution = maybe_text()


class EvidenceTableSchema(Sourced):
    id = Text(required=True)
    name = Text(required=True)
    guideline = Text(required=True)
    inputs = texts_list(required=True, filled=True)
    rows = fields.Nested(EvidenceRowSchema, many=True, required=True)
    otherwise = Text(required=True)
    cells = many_of(EvidenceCellSchema)
    levels = texts_list()
    letters = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    completions = fields.Dict(keys=Text(), values=fields.List(Text()), load_default=dict)
    missing_texts = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    columns = Truth(load_default=False)
    open_rows = fields.Dict(keys=Text(), values=Text(), load_default=dict)


class OptionSchema(Sourced):
    id = Text(required=True)
    analyte = maybe_text()
    text = Text(required=True)
    selectable = Truth(required=True)
    intervals = many_of(IntervalSchema)
    replaces_critical = texts_list()
    critical = many_of(CriticalSchema)
    decision_limits = many_of(DecisionLimitSchema)
    constants = fields.Dict(keys=Text(), values=fields.Dict(keys=Text(), values=Number()), load_default=dict)

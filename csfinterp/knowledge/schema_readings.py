"""The schemas of patterns, cautions, statements, recommendations and scores: which keys an entry has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from csfinterp.knowledge.shape import (
    Entry,
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
from csfinterp.knowledge.vocabulary import GRADES, NOT_EVALUABLE
from csfinterp.model.context import CODED_CONTEXT

ITEM_KINDS = ("decisive", "core", "support", "alarm", "counter", "counter_major", "neutral")
GRADE_WORDS = (*reversed(GRADES), NOT_EVALUABLE)
CAUTION_GROUPS = ("PC", "FP", "EC")
PRIORITIES = {"critical": 1, "urgent": 2, "high": 3, "routine": 4, "context": 5}
# Words of recommendations.md -> audiences of the interface; team: for the treating team, context only.
AUDIENCES = {"lab": "laboratory", "clinician": "treating_team", "team": "treating_team"}
TEAM = "team"


class Plain(fields.Field[object]):
    """Numbers, words, and lists or mappings of them: the numbers of a published score."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> object:
        return self._plain(value)

    def _plain(self, value: object) -> object:
        if isinstance(value, Mapping):
            return {str(key): self._plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return tuple(self._plain(inner) for inner in value)
        if value is None:
            raise ValidationError("write a number, a word, or a list or mapping of them")
        return value


def statement_id(**options: Any) -> Text:
    pattern = r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*\Z"
    return Text(validate=validate.Regexp(pattern, error="write an id of letters, digits, _ and -"), **options)


class PatternItemSchema(Sourced):
    id = statement_id(required=True)
    kind = one_of(ITEM_KINDS, required=True)
    when = Rule(required=True)
    text = Text(required=True)


class RaiseSchema(Entry):
    id = statement_id(required=True)
    when = Rule(required=True)
    grade = one_of(GRADES[1:], required=True)


class OpenReasonSchema(Entry):
    reason = Text(required=True)
    when = Rule(required=True)
    text = maybe_text()


class LineSchema(Sourced):
    id = statement_id(required=True)
    when = Rule(required=True)
    text = Text(required=True)
    silent_if = texts_list()
    headline = maybe_text()
    spoken = Truth(load_default=False)


class PatternSummarySchema(Entry):
    never = Truth(load_default=False)
    when = Rule(allow_none=True, load_default=None)
    stays_open = Truth(load_default=False)
    last = Truth(load_default=False)
    by_level = Truth(load_default=False)
    says = fields.Dict(keys=one_of(GRADE_WORDS), values=texts_list(), load_default=dict)
    score = maybe_text()
    cannot_be_judged = maybe_text()


class PatternSchema(Sourced):
    id = Text(required=True)
    rule = Text(required=True, validate=validate.Regexp(r"P-[A-Z]+\Z", error="write it like P-BACT"))
    name = Text(required=True)
    k = Whole(allow_none=True, load_default=None)
    partly = Truth(load_default=True)
    when = Rule(allow_none=True, load_default=None)
    required = texts_list()
    items = many_of(PatternItemSchema)
    raises = many_of(RaiseSchema)
    open_if = many_of(OpenReasonSchema)
    shown_if = Rule(allow_none=True, load_default=None)
    emergency = fields.List(one_of(GRADE_WORDS), load_default=list)
    texts = fields.Dict(keys=one_of(GRADE_WORDS), values=Text(), required=True)
    headlines = fields.Dict(keys=one_of(GRADE_WORDS), values=Text(), load_default=dict)
    question = one_of(CODED_CONTEXT["question"], load_default="not_stated")
    summary = fields.Nested(PatternSummarySchema, allow_none=True, load_default=None)
    lines = many_of(LineSchema)


class CautionSchema(Sourced):
    id = statement_id(required=True)
    group = one_of(CAUTION_GROUPS, required=True)
    name = maybe_text()
    when = Rule(required=True)
    text = Text(required=True)
    silent_if = texts_list()
    audience = fields.List(
        one_of(("treating_team", "laboratory")), validate=validate.Length(min=1), load_default=lambda: ["treating_team"]
    )
    spoken = Truth(load_default=False)
    headline = maybe_text()
    headline_if = Rule(allow_none=True, load_default=None)
    never_folded = Truth(load_default=False)


class DifferentialGroupSchema(Sourced):
    id = Text(required=True)
    leptomeningeal = texts_list()
    pachymeningeal = texts_list()
    tests = texts_list()


class DifferentialSchema(Sourced):
    when = Rule(required=True)
    trigger = Text(required=True)
    notes = texts_list()
    groups = fields.Nested(DifferentialGroupSchema, many=True, required=True)


class LiquidBiopsySchema(LineSchema):
    name = maybe_text()


class RecommendationSchema(Sourced):
    id = Text(required=True)
    rule = Text(required=True, validate=validate.Regexp(r"R-[A-Z]+[0-9]+[a-z]?\Z", error="write it like R-L01"))
    when = Rule(required=True)
    text = Text(required=True)
    audience = fields.List(
        one_of(tuple(AUDIENCES)), required=True, validate=validate.Length(min=1, error="name at least one audience")
    )
    priority = one_of(tuple(PRIORITIES), required=True)
    silent_if = texts_list()
    quiet_if = Rule(allow_none=True, load_default=None)


class RefusalSchema(Entry):
    reason = Text(required=True)
    when = Rule(required=True)


class ScoreSchema(Sourced):
    id = Text(required=True)
    rule = Text(required=True, validate=validate.Regexp(r"S[0-9]+[a-z]?\Z", error="write it like S1"))
    name = Text(required=True)
    function = Text(required=True)
    population = Text(required=True)
    default_on = Truth(load_default=True)
    asked_if = Rule(allow_none=True, load_default=None)
    needed = texts_list()
    refusals = many_of(RefusalSchema)
    unknown_refusals = many_of(RefusalSchema)
    constants = fields.Dict(keys=Text(), values=Plain(), load_default=dict)
    texts = fields.Dict(keys=Text(), values=Text(), load_default=dict)

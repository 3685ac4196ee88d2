"""The schemas of analytes and derived quantities, their rows, and limits: the keys of an entry; others are refused."""

from __future__ import annotations

from marshmallow import fields, validate

from csfinterp.knowledge.shape import (
    Entry,
    Limit,
    Number,
    Rule,
    Sites,
    Sourced,
    Text,
    Truth,
    Whole,
    many_of,
    maybe_one,
    maybe_text,
    one_of,
    texts_list,
)
from csfinterp.model.context import FLAGS, NOT_JUDGED, SPECIMENS

ROLES = (*SPECIMENS, "csf_and_serum", "patient")
OPERATORS = (">", ">=", "<", "<=")


class EdgeSchema(Entry):
    value = Limit(required=True)
    inclusive = Truth(load_default=True)


class BoundsSchema(Sourced):
    hard_low = maybe_one(EdgeSchema)
    hard_high = maybe_one(EdgeSchema)
    soft_low = maybe_one(EdgeSchema)
    soft_high = maybe_one(EdgeSchema)


class AgeLineSchema(Entry):
    intercept = Number(required=True)
    divisor = Number(required=True)


class EndSchema(Entry):
    value = Limit(load_default=None)
    quantity = maybe_text()
    age_line = maybe_one(AgeLineSchema)
    unit = maybe_text()
    inclusive = Truth(required=True)


class AgeSchema(Entry):
    from_ = Text(required=True, data_key="from")
    to = maybe_text()


class GapSchema(AgeSchema):
    note = Text(required=True)


class StratumSchema(Entry):
    quantity = Text(required=True)
    from_ = Limit(data_key="from", allow_none=True, load_default=None)
    to = Limit(allow_none=True, load_default=None)


class IntervalSchema(Sourced):
    id = Text(required=True)
    sites = Sites(required=True)
    age = fields.Nested(AgeSchema, required=True)
    low = maybe_one(EndSchema)
    high = maybe_one(EndSchema)
    stratum = maybe_one(StratumSchema)
    when = Rule(load_default=None)
    gate = Rule(load_default=None)
    note = maybe_text()
    site_note = maybe_text()


class BandSchema(Sourced):
    id = Text(required=True)
    from_ = Limit(data_key="from", allow_none=True, load_default=None)
    above = Limit(allow_none=True, load_default=None)
    at_most = Limit(allow_none=True, load_default=None)
    below = Limit(allow_none=True, load_default=None)
    flag = one_of(FLAGS, allow_none=True, load_default=None)
    not_judged = one_of(NOT_JUDGED, allow_none=True, load_default=None)
    text = Text(required=True)


class InfoSchema(Sourced):
    text = Text(required=True)


class ValueSchema(Entry):
    word = Text(required=True)
    flag = one_of(FLAGS, allow_none=True, load_default=None)
    not_judged = one_of(NOT_JUDGED, allow_none=True, load_default=None)
    unknown_ = Truth(load_default=False, data_key="unknown")
    note = maybe_text()
    synonyms = texts_list()


class LoincSchema(Entry):
    code = Text(required=True)
    name = maybe_text()
    use = one_of(("accept", "info"), required=True)
    csf_stated = Truth(load_default=False)
    surrogate = Truth(load_default=False)
    only_specimens = fields.List(one_of(SPECIMENS), load_default=list)
    tube = Whole(allow_none=True, load_default=None)
    note = maybe_text()


class WrongCodeSchema(Entry):
    code = Text(required=True)
    meaning = Text(required=True)
    right = maybe_text()
    accept_as = maybe_text()


class AnalyteSchema(Sourced):
    id = Text(required=True)
    name = Text(required=True)
    kind = one_of(("quantity", "coded"), required=True)
    specimen = one_of(ROLES, required=True)
    unit = maybe_text()
    decimals = Whole(load_default=0)
    units = texts_list()
    molar_mass = maybe_text()
    molar_mass_assumed = Truth(load_default=False)
    unit_required_explicit = Truth(load_default=False)
    bounds = maybe_one(BoundsSchema)
    loinc = many_of(LoincSchema)
    wrong_codes = many_of(WrongCodeSchema)
    intervals = many_of(IntervalSchema)
    intervals_as = maybe_text()
    gaps = many_of(GapSchema)
    bands = many_of(BandSchema)
    info = many_of(InfoSchema)
    values = many_of(ValueSchema)
    needs_organism = Truth(load_default=False)
    counterpart = maybe_text()
    repeats = one_of(("none", "tube", "organism", "any_positive"), load_default="none")
    traps = maybe_text()


class DerivedSchema(Sourced):
    id = Text(required=True)
    name = Text(required=True)
    kind = one_of(("derived", "helper"), required=True)
    function = Text(required=True)
    inputs = texts_list(required=True)
    unit = Text(required=True)
    decimals = Whole(required=True)
    constants = fields.Dict(keys=Text(), values=Number(), load_default=dict)
    formula = Text(required=True)
    pair = one_of(("protein", "glucose"), allow_none=True, load_default=None)
    report_if_missing = Truth(load_default=False)
    intervals = many_of(IntervalSchema)
    gaps = many_of(GapSchema)
    note = maybe_text()


class DecisionLimitSchema(Sourced):
    id = Text(required=True, validate=validate.Regexp(r"DL-[A-Z0-9-]+\Z", error="write it like DL-LAC"))
    quantity = Text(required=True)
    op = one_of(OPERATORS, required=True)
    limit = Limit(required=True)
    says = Text(required=True)


class CriticalAgeSchema(AgeSchema):
    unknown_ = Truth(required=True, data_key="unknown")


class CriticalSchema(Sourced):
    id = Text(required=True, validate=validate.Regexp(r"CR-[A-Za-z0-9-]+\Z", error="write it like CR-WBC"))
    rule = maybe_text()
    analytes = texts_list(required=True, filled=True)
    op = one_of(OPERATORS, allow_none=True, load_default=None)
    limit = Limit(allow_none=True, load_default=None)
    words = texts_list()
    age = maybe_one(CriticalAgeSchema)
    flag = one_of(("HH", "LL", "AA"), allow_none=True, load_default=None)
    level = one_of(("critical", "urgent"), required=True)
    text = Text(required=True)
    first_only = Truth(load_default=False)
    locked = Truth(load_default=False)

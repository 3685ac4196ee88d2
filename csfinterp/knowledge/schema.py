"""The schemas of an edition's files, of site rules and code maps: which keys an entry has; unknown keys are refused."""

from __future__ import annotations

from marshmallow import fields, validate

from csfinterp.knowledge.seal import EDITION_ID
from csfinterp.knowledge.shape import (
    STATUS,
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
from csfinterp.model.context import FLAGS, NOT_JUDGED, SPECIMENS, TUMOR_CLASSES

ROLES = (*SPECIMENS, "csf_and_serum", "patient")
OPERATORS = (">", ">=", "<", "<=")


class EditionSchema(Entry):
    id = Text(required=True, validate=validate.Regexp(EDITION_ID, error='write year and number, "2026.1"'))
    title = Text(required=True)
    status = one_of(("draft", "released"), required=True)
    released_on = maybe_text(validate=validate.Regexp(r"\d{4}-\d{2}-\d{2}\Z", error="write a date like 2026-01-31"))
    note = maybe_text()
    disclaimer = Text(required=True)
    texts = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    not_sent_words = fields.List(fields.String(), load_default=list)
    organism_words = fields.Dict(keys=Text(), values=texts_list(required=True, filled=True), load_default=dict)


class UnitCodeSchema(Entry):
    dimension = Text(required=True)
    scale = Text(required=True)
    pint = maybe_text()


class AliasSchema(Entry):
    seen = texts_list(required=True, filled=True)
    becomes = Text(required=True)
    dimensions = texts_list(required=True, filled=True)
    ignore_case = Truth(load_default=False)


class MolarMassSchema(Sourced):
    value = Text(required=True)
    note = maybe_text()


class UnitsSchema(Entry):
    codes = fields.Dict(keys=Text(), values=fields.Nested(UnitCodeSchema), required=True)
    aliases = many_of(AliasSchema)
    molar_masses = fields.Dict(keys=Text(), values=fields.Nested(MolarMassSchema), load_default=dict)
    molar_dimensions = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    thirds_dimension = Text(required=True)


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


class CitationSchema(Entry):
    id = Text(required=True)
    kind = one_of(("paper", "guideline", "laboratory", "manual", "web", "standard", "software", "own"), required=True)
    status = one_of(STATUS, required=True)
    year = Whole(allow_none=True, load_default=None)
    authors = maybe_text()
    journal = maybe_text()
    title = maybe_text()
    doi = maybe_text()
    pmid = maybe_text()
    pmcid = maybe_text()
    read = maybe_text()
    note = maybe_text()


class CodeInfoSchema(Entry):
    code = Text(required=True)
    name = Text(required=True)
    note = maybe_text()


class SiteRulesSchema(Entry):
    id = Text(required=True)
    options = texts_list()
    code_maps = texts_list()
    assay_limits = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    ctc_platforms = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    scores_on = texts_list()
    assay_comparable = Truth(load_default=False)
    coefficients = texts_list()
    former_coefficients = texts_list()
    note = maybe_text()


class CodeMapSchema(Entry):
    id = Text(required=True)
    source = Text(required=True)
    codes = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    words = fields.Dict(keys=Text(), values=fields.Dict(keys=Text(), values=Text()), load_default=dict)
    decimal_comma = Truth(load_default=False)
    default_units = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    note = maybe_text()

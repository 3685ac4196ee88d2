"""The schemas of an edition's header, units, citations and code names: the keys of an entry; others are refused."""

from __future__ import annotations

from marshmallow import fields, validate

from csfinterp.knowledge.seal import EDITION_ID
from csfinterp.knowledge.shape import (
    STATUS,
    Entry,
    Sourced,
    Text,
    Truth,
    Whole,
    many_of,
    maybe_text,
    one_of,
    texts_list,
)
from csfinterp.model.context import CODED_CONTEXT


class ToleranceSchema(Sourced):
    id = Text(required=True)
    share = Text(required=True, validate=validate.Regexp(r"\d+(\.\d+)? %\Z", error='write a percentage like "5 %"'))
    says = Text(required=True)


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
    routine_tests = texts_list()
    next_steps = fields.Dict(
        keys=one_of(CODED_CONTEXT["question"]),
        values=fields.List(Text(validate=validate.Regexp(r"R-[A-Z]+[0-9]*\Z", error="write it like R-L or R-M05"))),
        load_default=dict,
    )
    tolerances = many_of(ToleranceSchema)


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

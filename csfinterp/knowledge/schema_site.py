"""The schemas of what a site writes, its rules and its code maps: the keys of an entry; others are refused."""

from __future__ import annotations

from marshmallow import fields

from csfinterp.knowledge.shape import Entry, Text, Truth, maybe_text, texts_list


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

"""What a site adds to an edition: code maps of its senders, and the choices and limits of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csfinterp.model.coefficients import Coefficients


@dataclass(frozen=True)
class CodeMap:
    """Local codes of one sender: code -> analyte id, words of coded results, decimal comma allowed or not."""

    id: str
    source: str
    codes: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    decimal_comma: bool = False
    default_units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteRules:
    """What a site chose: named options, code maps, limits of its own assays; `digest` names exactly this choice.

    `limit_texts`: analyte -> limit as the site wrote it, with unit; `platform_texts` likewise platform -> limit of
    csf_ctc. `assay_limits` and `ctc_platforms`: the same as numbers in the canonical unit, filled when the rules are
    put into an edition. `scores_on`: scores that are off by default. `assay_comparable`: its CXCL13 and IL-10 assays
    agree with the published ones (scores.md S8). `coefficients`: file name -> text of a coefficient file, those of
    former versions in `former_coefficients`; `models`: what those in force say, filled with the limits. `lines`: where
    each choice stands in `file`.
    """

    id: str
    digest: str
    options: tuple[str, ...] = ()
    code_maps: tuple[CodeMap, ...] = ()
    limit_texts: Mapping[str, str] = field(default_factory=dict)
    platform_texts: Mapping[str, str] = field(default_factory=dict)
    assay_limits: Mapping[str, float] = field(default_factory=dict)
    ctc_platforms: Mapping[str, float] = field(default_factory=dict)
    scores_on: tuple[str, ...] = ()
    assay_comparable: bool = False
    coefficients: Mapping[str, str] = field(default_factory=dict)
    former_coefficients: Mapping[str, str] = field(default_factory=dict)
    models: tuple[Coefficients, ...] = ()
    file: str | None = field(default=None, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

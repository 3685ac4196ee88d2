"""Knowledge as data: analytes, intervals, limits, rules, tables and citations of one edition.
No number lives in Python. Import every name from here; the modules of this folder only sort them."""

from csfinterp.model.edition.advice import Recommendation, Refusal, Score
from csfinterp.model.edition.analytes import Analyte, CodedValue, Derived, InfoRow, LoincCode, WrongCode
from csfinterp.model.edition.citations import Citation
from csfinterp.model.edition.evidence import EvidenceCell, EvidenceRow, EvidenceTable, Profile, ProfileMarker
from csfinterp.model.edition.intervals import AgeEdge, Band, Bound, Bounds, IntervalLimit, ReferenceInterval, Stratum
from csfinterp.model.edition.limits import CriticalRule, DecisionLimit, NamedOption, Tolerance
from csfinterp.model.edition.patterns import (
    Differential,
    DifferentialGroup,
    OpenReason,
    Pattern,
    PatternItem,
    PatternSummary,
    Raise,
    Statement,
)
from csfinterp.model.edition.rules import Finding, Grade, GradeScale, QualityRule
from csfinterp.model.edition.site import CodeMap, SiteRules
from csfinterp.model.edition.units import UnitAlias, UnitCode, UnitTable
from csfinterp.model.edition.whole import Edition

__all__ = [
    "AgeEdge",
    "Analyte",
    "Band",
    "Bound",
    "Bounds",
    "Citation",
    "CodeMap",
    "CodedValue",
    "CriticalRule",
    "DecisionLimit",
    "Derived",
    "Differential",
    "DifferentialGroup",
    "Edition",
    "EvidenceCell",
    "EvidenceRow",
    "EvidenceTable",
    "Finding",
    "Grade",
    "GradeScale",
    "InfoRow",
    "IntervalLimit",
    "LoincCode",
    "NamedOption",
    "OpenReason",
    "Pattern",
    "PatternItem",
    "PatternSummary",
    "Profile",
    "ProfileMarker",
    "QualityRule",
    "Raise",
    "Recommendation",
    "ReferenceInterval",
    "Refusal",
    "Score",
    "SiteRules",
    "Statement",
    "Stratum",
    "Tolerance",
    "UnitAlias",
    "UnitCode",
    "UnitTable",
    "WrongCode",
]

"""Tumor DNA in HL7 v2: variants by the LOINC genomics codes (codes.md section 8), one observation a specimen.

At least one somatic variant present: detected; only absent: not_detected; only no call: failed. Anything else keeps
the sender's words, which the core answers with an issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from csfinterp.formats.hl7_segments import Segment
from csfinterp.formats.hl7_specimens import Remarks
from csfinterp.formats.hl7_values import LOINC, OWN_SYSTEM, coded_word, is_loinc, unit_of, value_of
from csfinterp.formats.strict_json import NumberText

VARIANT = "69548-6"
GENE, FREQUENCY, SOURCE_CLASS = "48018-6", "81258-6", "48002-0"
HGVS = ("48005-3", "48004-6", "81290-9")  # p. before c. before g.
OWN = {"variant_gene": GENE, "variant_hgvs": HGVS[0], "variant_vaf_pct": FREQUENCY}
COMPONENTS = frozenset((GENE, FREQUENCY, SOURCE_CLASS, *HGVS))
GERMLINE = ("LA6683-2", "germline")
CALLS = {"la9633-4": "present", "present": "present", "absent": "absent", "no call": "no call"}
_PARENT = re.compile(r"[0-9]+")


@dataclass
class Variant:
    """The components of one variant: those of one OBX-4."""

    sub_id: str
    parts: dict[str, Segment] = field(default_factory=dict)

    @property
    def germline(self) -> bool:
        """True if the sender says so; a germline variant is no evidence of tumor DNA."""
        source = self.parts.get(SOURCE_CLASS)
        return source is not None and bool({source.words(5), source.words(5, 2).casefold()} & set(GERMLINE))

    def document(self, remarks: Remarks) -> dict[str, Any] | None:
        """One entry of `variants`; None without a gene."""
        obx = next(iter(self.parts.values()))
        if GENE not in self.parts or not coded_word(self.parts[GENE].first(5)):
            remarks.warn(obx.pointer(4), f"A variant without its gene is left out. Send {GENE} with the same OBX-4.")
            return None
        found: dict[str, Any] = {"gene": coded_word(self.parts[GENE].first(5))}
        hgvs = next((self.parts[code] for code in HGVS if code in self.parts), None)
        if hgvs is not None and (name := coded_word(hgvs.first(5))):
            found["hgvs"] = name
        if FREQUENCY in self.parts and (share := _percent(self.parts[FREQUENCY], remarks)) is not None:
            found["vaf_pct"] = share
        return found


def component_of(obx: Segment) -> str | None:
    """The LOINC code of the variant component that this OBX carries (99CSFI variant_... included), else None."""
    element = obx.first(3)
    for at in (1, 4):
        code, system = element.words(at), element.words(at + 2)
        if is_loinc(system) and code in COMPONENTS:
            return code
        if system.upper() == OWN_SYSTEM and code in OWN:
            return OWN[code]
    return None


def gather(variants: list[Variant], code: str, obx: Segment) -> None:
    """Adds a component to the variant of its OBX-4; without OBX-4 a gene begins the next variant."""
    sub_id = obx.words(4)
    mine = [found for found in variants if found.sub_id == sub_id]
    if not mine or (not sub_id and code in mine[-1].parts):
        mine = [Variant(sub_id)]
        variants += mine
    mine[-1].parts.setdefault(code, obx)


def attach(entries: list[tuple[Segment, dict[str, Any]]], variants: list[Variant], remarks: Remarks) -> None:
    """Variants to their tumor DNA results. Several results by LOINC 69548-6 become the first one, called as a whole."""
    calls = [(obx, entry) for obx, entry in entries if _is_variant_result(entry)]
    if calls:
        _fold(entries, calls, variants)
    named = [(obx.place, _parent_id(obx.words(4)), entry) for obx, entry in entries]
    for variant in filter(lambda found: not found.germline, variants):
        target = calls[0][1] if calls else _parent(variant, named)
        document = variant.document(remarks)
        if target is None:
            place = next(iter(variant.parts.values())).pointer(3)
            remarks.warn(place, f"A variant without a tumor DNA result is left out. Send {VARIANT} before it.")
        elif document is not None:
            target.setdefault("variants", []).append(document)


def _fold(
    entries: list[tuple[Segment, dict[str, Any]]], calls: list[tuple[Segment, dict[str, Any]]], variants: list[Variant]
) -> None:
    germline = {_parent_id(variant.sub_id) for variant in variants if variant.germline}
    somatic = [call for call in calls if not (call[0].words(4) and _parent_id(call[0].words(4)) in germline)]
    words = [CALLS.get(_call(obx).casefold(), _call(obx)) for obx, _ in somatic]
    first = calls[0][1]
    if any(not entry.get("value") for _, entry in calls):
        return
    if "present" in words:
        first["value"] = "detected"
    elif set(words) == {"absent"}:
        first["value"] = "not_detected"
    elif set(words) == {"no call"}:
        first["value"] = "failed"
    else:
        first["value"] = ", ".join(dict.fromkeys(words))[:200] or "germline only"
    later = {id(entry) for _, entry in calls[1:]}
    entries[:] = [pair for pair in entries if id(pair[1]) not in later]


def _call(obx: Segment) -> str:
    element = obx.first(5)
    return element.words(1) if element.words(1).casefold() in CALLS else coded_word(element)


def _is_variant_result(entry: dict[str, Any]) -> bool:
    code = entry["code"]
    return isinstance(code, dict) and (code.get("system"), code.get("code")) == (LOINC, VARIANT)


def _parent(variant: Variant, entries: Iterable[tuple[int, str, dict[str, Any]]]) -> dict[str, Any] | None:
    """The result whose OBX-4 the variant's begins with ("1" of "1.2" or "1a"), else the last one before it."""
    place = min(obx.place for obx in variant.parts.values())
    before = [(sub_id, entry) for at, sub_id, entry in entries if at < place]
    wanted = _parent_id(variant.sub_id)
    found = [entry for sub_id, entry in before if wanted and sub_id == wanted] or [entry for _, entry in before]
    return found[-1] if found else None


def _parent_id(sub_id: str) -> str:
    match = _PARENT.match(sub_id)
    return match[0] if match else sub_id


def _percent(obx: Segment, remarks: Remarks) -> NumberText | None:
    """Allele fraction in percent: unit % as sent, unit 1 times 100; without a unit only our own id, which says pct."""
    value, unit = value_of(obx).get("value"), unit_of(obx)
    own = unit is None and obx.words(3, 3).upper() == OWN_SYSTEM
    if isinstance(value, NumberText) and (unit == "%" or own):
        return value
    if isinstance(value, NumberText) and unit == "1" and len(value) < 30:
        return NumberText(format((Decimal(value) * 100).normalize(), "f"))
    remarks.warn(obx.pointer(6), "The allele fraction is left out. Send a number with the unit % or 1.")
    return None

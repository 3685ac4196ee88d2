"""Which analyte an observation is: ids, LOINC codes with their specimen rules, local codes of a sender's code map."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from csfinterp.model.cohort import Bools, CodeKey, Ints, Observations
from csfinterp.model.edition import Analyte, CodeMap, LoincCode, WrongCode
from csfinterp.steps.layout import Layout

LOINC_SYSTEMS = ("http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1", "LN", "LOINC", "loinc")
BLOOD = ("serum", "plasma", "blood")
LOINC_FORM = re.compile(r"[0-9]{1,7}-[0-9]")
PROPERTY = re.compile(r"\[[^\]]*\]")
SAYS_CSF = re.compile(r"\b(csf|cerebrospinal|cerebral spinal|spinal fluid|liquor)\b", re.IGNORECASE)
MAX_REMEMBERED = 20_000


@dataclass(frozen=True)
class Identity:
    """`row`: statement row, -1 if none. `issue`: word of ISSUE_CODES or None.

    `ask`: accepted only beside its counterpart. `text` says what is wrong and what to send; `note` is printed with an
    accepted result. `meant`: analyte id under which a value that may not be used is kept in sight.
    """

    row: int = -1
    meant: str | None = None
    issue: str | None = None
    text: str = ""
    ask: bool = False
    note: str | None = None
    tube: int | None = None
    surrogate: bool = False
    loinc: str | None = None


def loinc_check_digit_holds(code: str) -> bool:
    """True if the LOINC code has its form and its mod 10 check digit is right."""
    if not LOINC_FORM.fullmatch(code):
        return False
    digits, check = code.split("-")
    doubled = "".join(str(int(digit) * 2) if place % 2 == 0 else digit for place, digit in enumerate(reversed(digits)))
    return (10 - sum(map(int, doubled)) % 10) % 10 == int(check)


class Identifier:
    """Reads the codes of one edition and the code maps of the site; asks once per distinct code."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        edition = layout.edition
        self._analyte = edition.analyte
        rules = edition.site_rules
        self._maps: dict[str, CodeMap] = {found.source: found for found in (rules.code_maps if rules else ())}
        self._loinc: dict[str, list[tuple[Analyte, LoincCode]]] = {}
        self._wrong: dict[str, tuple[Analyte, WrongCode]] = {}
        for analyte in edition.analytes:
            for code in analyte.loinc:
                self._loinc.setdefault(code.code, []).append((analyte, code))
            for wrong in analyte.wrong_codes:
                self._wrong.setdefault(wrong.code, (analyte, wrong))
        self._counterpart = np.full(len(layout.statements), -1, np.int64)
        for analyte in edition.analytes:
            if analyte.counterpart:
                self._counterpart[layout.statement[analyte.id]] = layout.statement[analyte.counterpart]
        self._seen: dict[CodeKey, Identity] = {}

    def identity(self, key: CodeKey) -> Identity:
        """Answer for one code, remembered."""
        found = self._seen.get(key)
        if found is None:
            if len(self._seen) >= MAX_REMEMBERED:
                self._seen.clear()
            found = self._seen[key] = self._ask(key)
        return found

    def rows(self, observations: Observations, size: int) -> Ints:
        """Statement row per observation, shape (n,); -1 where the code names no analyte or may not be used."""
        answers = [self.identity(key) for key in observations.code.texts]
        index = observations.code.index
        row = np.array([answer.row for answer in answers], np.int64)
        asking = np.array([answer.ask for answer in answers], np.bool_)
        if index is not None:
            row, asking = row[index], asking[index]
        if asking.any():
            row = np.where(asking & ~self._has_counterpart(row, observations, size), -1, row)
        return row

    def _has_counterpart(self, row: Ints, observations: Observations, size: int) -> Bools:
        """True where the same panel holds the same test in the other specimen (rule W3b)."""
        present = np.zeros((len(self._counterpart) + 1, size), np.bool_)
        present[row, observations.panel] = True
        other = self._counterpart[row]
        found: Bools = present[other, observations.panel] & (other >= 0)
        return found

    def _ask(self, key: CodeKey) -> Identity:
        mapped = self._maps.get(key.source or "")
        if mapped is not None and key.code in mapped.codes and not self._no_loinc(key):
            found = self._ask_id(key._replace(system=None, code=mapped.codes[key.code]))
            return replace(found, note="code mapped by site")
        if key.system in LOINC_SYSTEMS:
            return self._ask_loinc(key)
        if key.system is None and key.code in self._analyte:
            return self._ask_id(key)
        return Identity(
            issue="code_unknown",
            text="This code is not known. Send one of our analyte ids (GET /api/v1/analytes), a LOINC code with system "
            "http://loinc.org, or a local code that the site's code map lists for this sender.",
        )

    @staticmethod
    def _no_loinc(key: CodeKey) -> bool:
        """Sent as LOINC without the form of a LOINC code: no local code of the map is meant (W7 names real ones)."""
        return key.system in LOINC_SYSTEMS and not LOINC_FORM.fullmatch(key.code)

    def _ask_id(self, key: CodeKey) -> Identity:
        analyte = self._analyte[key.code]
        own = key.specimen
        if analyte.specimen == "csf" and own in BLOOD:
            return self._wrong_specimen(analyte, f"{analyte.id} is a CSF test", own)
        if analyte.specimen in BLOOD and own == "csf":
            meaning = f"{analyte.id} is a test in {analyte.specimen}"
            return self._wrong_specimen(analyte, meaning, "csf", analyte.counterpart)
        if analyte.specimen == "csf" and own is None and key.panel_specimen in BLOOD:
            return self._wrong_specimen(analyte, f"{analyte.id} is a CSF test", str(key.panel_specimen))
        return Identity(self._layout.statement[analyte.id], loinc=analyte.preferred_loinc)

    @staticmethod
    def _wrong_specimen(analyte: Analyte, meaning: str, specimen: str | None, right: str | None = None) -> Identity:
        advice = f"Send {right}." if right else "Send the code of the specimen that was examined."
        text = f"{meaning}; this message says {specimen}. Value kept, not interpreted. {advice}"
        return Identity(meant=analyte.id, issue="wrong_specimen_code", text=text)

    def _ask_loinc(self, key: CodeKey) -> Identity:
        if not loinc_check_digit_holds(key.code):
            return Identity(
                issue="code_invalid",
                text="This is not a valid LOINC code (its check digit fails). Value kept, not interpreted. "
                "Check the code.",
            )
        if key.code in self._loinc:
            return self._ask_known(key)
        if key.code in self._wrong:
            return self._ask_wrong(key)
        known = self._layout.edition.codes_info.get(key.code)
        if known is not None:
            return Identity(
                issue="info_only", text=f"LOINC {key.code} ({known}) is known; no rule reads it. Value kept."
            )
        return Identity(
            issue="code_unknown",
            text=f"LOINC {key.code} is not known to this edition. Value kept, not interpreted. "
            "GET /api/v1/analytes lists the accepted codes.",
        )

    def _ask_wrong(self, key: CodeKey) -> Identity:
        analyte, wrong = self._wrong[key.code]
        stated = key.specimen or key.panel_specimen
        if wrong.accept_as is not None and stated == "blood":  # rule W2
            return Identity(self._layout.statement[wrong.accept_as], loinc=key.code)
        says = f"this message says {stated}" if stated else "this message states no specimen"
        right = f" Send {wrong.right}." if wrong.right else ""
        return Identity(
            meant=analyte.id,
            issue="wrong_specimen_code",
            text=f"LOINC {key.code} is {wrong.meaning}; {says}. Value kept, not interpreted.{right}",
        )

    def _ask_known(self, key: CodeKey) -> Identity:
        stated = key.specimen or key.panel_specimen
        candidates = self._loinc[key.code]
        restricted = [pair for pair in candidates if pair[1].only_specimens or pair[1].csf_stated]
        if restricted:
            return self._ask_restricted(key, candidates, stated)
        analyte, code = candidates[0]
        if code.use != "accept":
            return Identity(issue="info_only", text=f"LOINC {key.code} is known; no rule reads it. Value kept.")
        row = self._layout.statement[analyte.id]
        found = Identity(row, tube=code.tube, surrogate=code.surrogate, loinc=code.code)
        if analyte.specimen == "csf" and stated in BLOOD:  # rule W4
            other = self._analyte.get(analyte.counterpart or "")
            return self._misplaced(key, analyte, str(stated), self._right_code(code, other))
        if analyte.specimen in BLOOD:
            return self._ask_blood(
                key, analyte, self._right_code(code, self._analyte.get(analyte.counterpart or "")), found
            )
        return found

    @staticmethod
    def _right_code(sent: LoincCode, other: Analyte | None) -> str | None:
        """Code of the same test in the other specimen, of the same property (mass or moles) if there is one."""
        if other is None:
            return None
        wanted = PROPERTY.search(sent.name or "")
        for code in other.loinc:
            has = PROPERTY.search(code.name or "")
            if wanted and has and has[0] == wanted[0] and code.use == "accept" and not code.csf_stated:
                return code.code
        return other.preferred_loinc or other.id

    def _ask_restricted(
        self, key: CodeKey, candidates: list[tuple[Analyte, LoincCode]], stated: str | None
    ) -> Identity:
        for analyte, code in candidates:
            wanted = code.only_specimens or ("csf",)
            if stated in wanted:
                row = self._layout.statement[analyte.id]
                return Identity(row, tube=code.tube, note=f"generic code {key.code} read as {stated}", loinc=code.code)
        if stated is None:  # rule W5
            return Identity(
                meant=candidates[0][0].id,
                issue="specimen_not_stated",
                text=f"LOINC {key.code} does not name its specimen. Value kept, not interpreted. "
                "State the specimen (specimen.type or observation.specimen) or send a CSF code.",
            )
        analyte, code = candidates[0]
        meaning = f"LOINC {key.code} is accepted for {' or '.join(code.only_specimens or ('csf',))}"
        return self._wrong_specimen(analyte, meaning, stated)

    def _ask_blood(self, key: CodeKey, analyte: Analyte, code: str | None, found: Identity) -> Identity:
        if key.specimen == "csf" or (key.display and SAYS_CSF.search(key.display)):  # rule W3a
            return self._misplaced(key, analyte, key.specimen or "CSF in the name of the test", code)
        if key.specimen in BLOOD or (key.specimen is None and key.panel_specimen in BLOOD):
            return found
        right = f" Send {code} for CSF" if code else " Send the code of the CSF test"
        return Identity(  # rules W3b (accepted beside the counterpart) and W3c
            found.row,
            meant=analyte.id,
            issue="specimen_ambiguous",
            text=f"LOINC {key.code} is {analyte.name.lower()}; no specimen of its own is stated and the CSF result is "
            f"not in this panel, so the value may be the CSF result. Value kept, not interpreted.{right}, or state the "
            "specimen.",
            ask=True,
            note="specimen taken from the code",
            loinc=found.loinc,
        )

    @staticmethod
    def _misplaced(key: CodeKey, analyte: Analyte, stated: str, code: str | None) -> Identity:
        right = f" Send {code}." if code else ""
        return Identity(
            meant=analyte.id,
            issue="wrong_specimen_code",
            text=f"LOINC {key.code} is {analyte.name}; this message says {stated}. Value kept, not interpreted.{right}",
        )

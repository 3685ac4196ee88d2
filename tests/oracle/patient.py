"""The patient and the specimen: age at collection, times, pairing, context words and numbers."""

import math
from datetime import date, datetime
from fractions import Fraction

from csfinterp.model.context import CODED_INPUTS, CONDITIONS, NUMBER_CONTEXT, STATED_WORDS, YES_NO_CONTEXT
from tests.oracle.knowledge import edge, in_days
from tests.oracle.logic import INFINITY, Span, point

AGE_UNIT_DAYS = {"d": Fraction(1), "wk": Fraction(7), "mo": Fraction("30.4375"), "a": Fraction("365.25")}
PROTEIN_PAIRS = ("albumin", "igg", "iga", "igm", "kappa_flc")


def moment(text):
    """A date or a datetime from the document's text; None if nothing was sent."""
    if not text:
        return None
    text = text.replace("Z", "+00:00") if text.endswith("Z") else text
    return datetime.fromisoformat(text) if "T" in text or " " in text else date.fromisoformat(text)


def day(when):
    return when.date() if isinstance(when, datetime) else when


# Age


class Age:
    """Completed age at collection; `days` and `years` are (low, high) of completed units, None if not known."""

    impossible = False  # born after the collection

    def __init__(self, days=None, years=None, start=None, end=None):
        self.days, self.years = days, years
        self.start, self.end = start, end  # span in days of an age sent as a number; None for a birth date

    @property
    def known(self):
        return self.days is not None

    def inside(self, band):
        """ "yes" if every age possible lies in the band [from, to), "no" if none does, "partly" else."""
        low, high = edge((band or {}).get("from")), edge((band or {}).get("to"))
        if self.start is None:
            reached = low is None or self.completed(low[1]) >= low[0]
            passed = high is not None and self.completed(high[1]) >= high[0]
            return "yes" if reached and not passed else "no"
        low_day = in_days(low) if low else Fraction(0)
        high_day = in_days(high) if high else INFINITY
        if self.end <= low_day or self.start >= high_day:
            return "no"
        return "yes" if low_day <= self.start and self.end <= high_day else "partly"

    def completed(self, unit):
        return self.days[0] if unit == "d" else self.years[0]


def age_at_collection(document):
    patient, specimen = document.get("patient") or {}, document.get("specimen") or {}
    collected = moment(specimen.get("collected_at")) or moment(specimen.get("received_at"))
    if patient.get("birth_date") and collected:
        return age_from_birth(date.fromisoformat(patient["birth_date"]), day(collected))
    if patient.get("age"):
        return age_from_number(patient["age"]["value"], patient["age"]["unit"])
    return Age()


def age_from_birth(born, collected):
    days = (collected - born).days
    if days < 0:
        age = Age()
        age.impossible = True
        return age
    years = collected.year - born.year - ((collected.month, collected.day) < (born.month, born.day))
    return Age((days, days), (years, years))


def age_from_number(value, unit):
    """The span of an age sent as a number covers its whole completed unit: 4.5 a is 4 completed years."""
    start = math.floor(Fraction(str(value))) * AGE_UNIT_DAYS[unit]
    end = start + AGE_UNIT_DAYS[unit]
    year = AGE_UNIT_DAYS["a"]
    days = (math.floor(start), math.ceil(end) - 1)
    years = (math.floor(start / year), math.ceil(end / year) - 1)
    return Age(days, years, start, end)


# Times and pairs


def minutes_between(first, second):
    """Minutes from `first` to `second`; None if one is missing, a date without a time, or they cannot be compared."""
    if not isinstance(first, datetime) or not isinstance(second, datetime):
        return None
    if (first.tzinfo is None) != (second.tzinfo is None):
        first, second = first.replace(tzinfo=None), second.replace(tzinfo=None)
    return (second - first).total_seconds() / 60


def same_day(csf, serum):
    if isinstance(csf, datetime) and isinstance(serum, datetime) and csf.tzinfo and serum.tzinfo:
        serum = serum.astimezone(csf.tzinfo)
    return day(csf) == day(serum)


def pair_word(csf, serum, hours):
    """yes, no, assumed (serum without a time of its own) or unknown (no time of the CSF)."""
    if serum is None:
        return "assumed"
    if csf is None:
        return "no"  # RU3: a day that is not known is not validated
    if same_day(csf, serum):
        return "yes"
    gap = minutes_between(csf, serum)
    if gap is None:  # only days are known: the furthest that they allow
        return "yes" if (abs((day(csf) - day(serum)).days) + 1) * 24 <= hours else "no"
    return "yes" if abs(gap) <= hours * 60 else "no"


def usable(cells, analyte):
    return next((cell for cell in cells if cell["analyte"] == analyte and cell["leads"]), None)


def pairing(edition, document, cells, issues):
    """The three pair inputs as words, and the issue `pairing_assumed` where serum without a time is taken as paired."""
    csf_time = moment((document.get("specimen") or {}).get("collected_at"))
    words, methods = [], []
    glucose = "unknown"
    for name in (*PROTEIN_PAIRS, "glucose"):
        csf, serum = usable(cells, "csf_" + name), usable(cells, "serum_" + name)
        if csf is None or serum is None or not (csf["span"].exact and serum["span"].exact):
            continue  # no quotient, so nothing is paired
        time = moment(serum["observation"].get("collected_at"))
        limits = edition["derived_by_id"]["pair_gap_hours"]["constants"]
        word = pair_word(csf_time, time, limits["glucose_up_to" if name == "glucose" else "proteins_up_to"])
        if name == "glucose":
            glucose = word
            continue
        words.append(word)
        both = [cell["observation"].get("method") for cell in (csf, serum)]
        methods.append(None if None in both else both[0].strip().lower() != both[1].strip().lower())
    day_word = next((word for word in ("no", "unknown", "assumed", "yes") if word in words), "unknown")
    if "assumed" in (day_word, glucose):
        issues.add(("pairing_assumed", None))
    differs = "yes" if True in methods else "no" if methods and None not in methods else "unknown"
    return {"pair_same_day": day_word, "pair_method_differs": differs, "serum_glucose_same_day": glucose}


def fits(cell):
    return cell["problem"] not in ("wrong_specimen_code", "specimen_ambiguous", "specimen_not_stated")


def minutes_to_analysis(document, cells, names):
    """Minutes from collection to the analysis of the first of `names` that states a time, else to the received time."""
    specimen = document.get("specimen") or {}
    collected = moment(specimen.get("collected_at"))
    for name in names:
        sent = [c for c in cells if c["analyte"] == name and fits(c) and c["observation"].get("value") is not None]
        times = [moment(cell["observation"].get("analyzed_at")) for cell in sent]
        times = [time for time in times if isinstance(time, datetime)]
        if times:
            gaps = [gap for gap in (minutes_between(collected, time) for time in times) if gap is not None]
            return min(gaps) if gaps and min(gaps) >= 0 else None
    gap = minutes_between(collected, moment(specimen.get("received_at")))
    return gap if gap is not None and gap >= 0 else None


# Context


def context_words(document, pair_words):
    """Every coded input with its word; an absent one takes its first word."""
    context, specimen = document.get("context") or {}, document.get("specimen") or {}
    words = {name: options[0] for name, options in CODED_INPUTS.items()}
    for name in CODED_INPUTS:
        if isinstance(context.get(name), str):
            words[name] = context[name]
    tumor = context.get("tumor")
    words["tumor"] = (tumor.get("class") if isinstance(tumor, dict) else tumor) or "unknown"
    for name in YES_NO_CONTEXT:
        sent = context.get(name)
        words[name] = {True: "yes", False: "no", None: "unknown"}.get(sent, sent)
    for name in STATED_WORDS:
        words["stated_" + name] = "yes" if name in (context.get("stated") or []) else "not_stated"
    words["site"] = specimen.get("site") or "unknown"
    words["position"] = specimen.get("position") or "unknown"
    words["sex"] = (document.get("patient") or {}).get("sex") or "unknown"
    for name in CONDITIONS:
        words[name] = "yes" if name in (specimen.get("condition") or []) else "no"
    if not context.get("csf_flow_panel"):
        words["csf_flow_panel"] = "lymphoid" if words["tumor"] == "hematologic" else "unknown"
    words.update(pair_words)
    return words


def context_numbers(document):
    """Numbers of the context and of the specimen that rules may compare."""
    context, specimen = document.get("context") or {}, document.get("specimen") or {}
    numbers = {name: context[name] for name in NUMBER_CONTEXT if context.get(name) is not None}
    history = context.get("history") or {}
    if "csf_samples_examined" not in numbers and history.get("csf_samples_examined") is not None:
        numbers["csf_samples_examined"] = history["csf_samples_examined"]
    earlier = history.get("albumin_quotient")
    earlier = earlier.get("value") if isinstance(earlier, dict) else earlier
    if isinstance(earlier, int | float) and not isinstance(earlier, bool):
        numbers["earlier_albumin_quotient"] = earlier
    if specimen.get("volume"):
        volume = specimen["volume"]
        numbers["specimen_volume_ml"] = volume["value"] * {"mL": 1, "ml": 1, "L": 1000}[volume["unit"]]
    return {name: point(round(float(number), 9)) for name, number in numbers.items()}


def age_spans(age):
    """age_days and age_years as spans."""
    if not age.known:
        return {}
    return {
        "age_days": Span(float(age.days[0]), False, float(age.days[1]), False),
        "age_years": Span(float(age.years[0]), False, float(age.years[1]), False),
    }

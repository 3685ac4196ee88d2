"""One panel through the edition, step by step: cells, formulas, quality, flags, findings and pattern items, grades,
profiles, tables; then, with all of these, cautions, statements, lines and recommendations."""

from csfinterp.model.context import CODED_INPUTS
from tests.oracle import inputs, judging, patient, patterns, statements
from tests.oracle.calculation import calculate
from tests.oracle.knowledge import limit_value, load
from tests.oracle.logic import FALSE, TRUE, UNKNOWN, WORDS, Span, Truths, overlap, point, unknown_words
from tests.oracle.reading import SPECIMEN_PROBLEMS, read_panel

CYTOLOGY_ORDER = ("positive", "suspicious", "atypical", "negative", "nondiagnostic")
DISAGREES = 0.05  # derived_disagrees: a value sent ready-made differs from the calculated one by more than 5 %
MORE = {"LL": ("LL", "L", "N", "H", "HH"), "L": ("L", "N", "H", "HH"), "N": ("N", "H", "HH"), "H": ("H", "HH")}


class Oracle:
    """`interpret(document)` returns plain dicts and sets; see the keys at its end.

    `site`: what a site adds to the edition: `assay_limits` (analyte -> limit text), `platforms` (of csf_ctc, name ->
    limit text), `assay_comparable` (True where it says so).
    """

    def __init__(self, folder, options=(), site=None):
        self.edition = load(folder, options)
        self.edition["site"] = site or {}

    def interpret(self, document):
        return Panel(self.edition, document).answer()


def sum_of_spans(spans):
    """What the sum of values may be that are known only as spans."""
    low, high = sum(span.low for span in spans), sum(span.high for span in spans)
    return Span(round(low, 9), any(s.low_open for s in spans), round(high, 9), any(s.high_open for s in spans))


class Panel:
    """Everything known of one panel; also the `facts` that predicates ask (see logic.Truths)."""

    def __init__(self, edition, document):
        self.edition, self.document = edition, document
        self.truths = Truths(self)
        self.age = patient.age_at_collection(document)
        self.cells, self.issues = read_panel(edition, document)
        if self.age.impossible:
            self.issues.add(("implausible", None))
        pairs = patient.pairing(edition, document, self.cells, self.issues)
        self.words = patient.context_words(document, pairs) | inputs.panel_words(edition, document, self.cells)
        self.spans = patient.context_numbers(document) | patient.age_spans(self.age)
        self.coded = {}
        self.verdicts = {}  # of the leading value of each quantity or coded analyte
        self.memo = {}
        self.lower_bounds, self.withheld, self.unread = set(), {}, set()
        self.take_leading_values()
        self.computed = self.calculate()
        self.compare_ready_made()
        self.apply_quality()
        self.words["dominant_ig"] = inputs.dominant_ig(self)
        self.results = self.judge_all()
        self.silent = {}
        self.grades = {}
        for pattern in edition["patterns"]:
            self.grades[pattern["id"]] = patterns.pattern_grade(self, pattern)
        self.answers = {
            "eano_esmo": statements.lm_result(self, edition["tables"]["eano_esmo"]),
            "hematologic_cns": statements.hematologic_result(self, edition["tables"]["hematologic_cns"]),
            "leukemia_cns": statements.leukemia_result(self, edition["tables"]["leukemia_cns"]),
        }

    # Values

    def take_leading_values(self):
        for cell in self.cells:
            if cell["leads"] and cell["span"] is not None:
                self.spans[cell["analyte"]] = cell["span"]
            elif cell["leads"]:
                self.coded.setdefault(cell["analyte"], set()).add(cell["word"])
        for entry in self.edition["derived"]:
            if entry["function"] == "time_to_analysis":
                minutes = patient.minutes_to_analysis(self.document, self.cells, entry["inputs"])
                if minutes is not None:
                    self.spans[entry["id"]] = point(round(minutes, 9))
        date = inputs.calendar(self.document)
        if date:
            self.spans["sampling_month"], self.spans["sampling_day"] = (point(float(number)) for number in date)

    def calculate(self):
        """Derived values by id, rounded; the chain itself runs on unrounded numbers."""
        numbers = {name: span.low for name, span in self.spans.items() if span.exact}
        computed = {}
        for entry in self.edition["derived"]:
            name = entry["id"]
            if entry["function"] == "reference_high":
                value = self.reference_high(entry["inputs"][0])
            elif entry["function"] == "advisory_limit":
                value = self.advisory_limit(name, entry["inputs"][0])
            elif entry["function"] == "platform_limit":
                value = inputs.platform_limit(self.edition, self.document, entry)
            elif entry["function"] == "site_limit":
                limit = (self.edition["site"].get("assay_limits") or {}).get(entry["inputs"][0])
                value = limit_value(self.edition, limit, entry["inputs"][0]) if limit else None
            elif entry["function"] == "differential_sum" and not all(span.exact for span in self.sent(entry["inputs"])):
                self.spans[name] = sum_of_spans(self.sent(entry["inputs"]))
                value = None
            else:
                value = calculate(entry, numbers)
            if value is None:
                continue
            numbers[name] = value
            computed[name] = round(value, 9) + 0.0
            self.spans[name] = point(computed[name])
        return computed

    def sent(self, names):
        return [self.spans[name] for name in names if name in self.spans]

    def reference_high(self, name):
        row, _ = judging.row_in_force(self, name)
        limit = judging.row_limit(self, name, row, "high") if row else None
        if not limit or limit[0] is None:
            return None
        line = (row["high"] or {}).get("age_line")
        return line["intercept"] + self.age.years[0] / line["divisor"] if line else limit[0].low

    def advisory_limit(self, name, quantity):
        """The row of the advisory table; at ages without one (below 19 years) the upper limit of the quantity."""
        row, reason = judging.row_in_force(self, name)
        if row is None and reason != "no_interval_for_age":
            return None
        limit = judging.row_limit(self, name, row, "high") if row else None
        span = limit[0] if limit else self.limit_of(quantity, "high")
        return span.low if span else None

    def compare_ready_made(self):
        for cell in self.cells:
            name = cell["analyte"]
            if name in self.computed and cell["leads"]:
                self.issues.discard(("soft_bound", cell["index"]))  # the value is not used
                near = self.computed[name] * (1 - DISAGREES), self.computed[name] * (1 + DISAGREES)
                if not overlap(cell["span"], Span(round(near[0], 9), False, round(near[1], 9), False)):
                    self.issues.add(("derived_disagrees", cell["index"]))

    # Quality

    def apply_quality(self):
        self.quality = {rule["id"]: self.statement(rule["id"]) for rule in self.edition["quality"]}
        for rule in self.edition["quality"]:
            if self.quality[rule["id"]] == TRUE:
                for target in rule.get("suppresses") or []:
                    self.withheld.setdefault(target, rule.get("not_judged") or "suppressed")
                self.lower_bounds |= set(rule.get("lower_bound") or [])
                self.unread |= set(rule.get("unread") or [])
        self.quality_done = True
        self.memo = {name: truth for name, truth in self.memo.items() if name in self.quality}

    # Flags

    def judge_all(self):
        """The results by observation index and by derived id; rows with a gate last, because they ask other flags."""
        results = {}
        gated = [cell for cell in self.cells if any("gate" in row for row in self.rows(cell["analyte"]))]
        for cell in [cell for cell in self.cells if cell not in gated] + gated:
            results[cell["index"]] = self.judge_cell(cell)
        for entry in self.edition["derived"]:
            if entry["kind"] == "derived":
                result = self.judge_derived(entry)
                if result:
                    results[entry["id"]] = result
        return results

    def rows(self, name):
        return judging.rows_of(self.edition, name)[1]

    def judge_cell(self, cell):
        name = cell["analyte"]
        result = {
            "analyte": name, "value": cell["word"] or cell["value"], "comparator": cell["comparator"],
            "unit": self.edition["analytes"][name].get("unit"), "flag": None, "not_judged": cell["problem"],
            "critical": False, "rule": None,
        }  # fmt: skip
        cell["critical"] = set()
        if cell["problem"]:
            return result
        if not cell["duplicate"] and (name in self.computed or not cell["leads"]):
            # Shown only: ready-made beside its pair, a tube that does not lead, a surrogate beside the real code.
            # What is critical stays critical (SL41).
            cell["critical"] = judging.critical_ids(self, name, cell["span"]) if cell["span"] else set()
            flags = {rule["flag"] for rule in judging.critical_met(self, name, cell["span"])} if cell["span"] else set()
            flag = next(iter(flags), None)
            return result | {"flag": flag, "critical": bool(flag), "not_judged": None if flag else "info_only"}
        withheld = "duplicate_result" if cell["duplicate"] else self.withheld.get(name)
        if cell["word"]:
            verdict = judging.judge_word(self, name, cell["word"], withheld)
            cell["critical"] = {
                rule.get("rule") or rule["id"] for rule in judging.critical_word_rules(self, name, cell["word"])
            }
        else:
            verdict = judging.judge(self, name, cell["span"], withheld)
            cell["critical"] = judging.critical_ids(self, name, cell["span"])
        if cell["leads"]:
            self.verdicts[name] = verdict
        return self.with_verdict(result, verdict)

    @staticmethod
    def with_verdict(result, verdict):
        result.update(flag=verdict.flag, not_judged=verdict.not_judged, rule=verdict.rule)
        result["critical"] = verdict.flag in ("LL", "HH", "AA")
        return result

    def judge_derived(self, entry):
        name = entry["id"]
        result = {
            "analyte": name, "value": self.computed.get(name), "comparator": None, "unit": entry["unit"], "flag": None,
            "not_judged": "pair_missing", "critical": False, "rule": None,
        }  # fmt: skip
        if name in self.computed:
            verdict = judging.judge(self, name, point(self.computed[name]), self.withheld.get(name))
            self.verdicts[name] = verdict
            return self.with_verdict(result, verdict)
        sent = {cell["analyte"] for cell in self.cells if cell["problem"] not in SPECIMEN_PROBLEMS}
        if not entry.get("report_if_missing") or not sent & set(entry["inputs"]) or name in sent:
            return None
        if set(entry["inputs"]) <= set(self.spans):  # both sent, one as "<x": a censored value enters no quotient
            result["not_judged"] = "comparator_undecided"
        return result

    # What predicates ask

    def quantity(self, name):
        if getattr(self, "quality_done", False) and (name in self.withheld or name in self.unread):
            return None
        if name in ("count_abnormal", "count_judged"):
            return self.count(name)
        span = self.spans.get(name)
        return span.at_least() if span is not None and name in self.lower_bounds else span

    def count(self, name):
        """Results of the CSF (derived quantities too) with an abnormal flag; with any flag. A critical flag counts
        also where its result is not the leading one."""
        flags = [result["flag"] for result in self.results.values() if self.of_csf(result["analyte"])]
        return point(float(len([flag for flag in flags if flag and (name == "count_judged" or flag != "N")])))

    def of_csf(self, name):
        analyte = self.edition["analytes"].get(name)
        return analyte is None or analyte["specimen"] not in ("serum", "plasma", "blood")

    def limit_of(self, name, side):
        row, _ = judging.row_in_force(self, name)
        limit = judging.row_limit(self, name, row, side) if row else None
        return limit[0] if limit else None

    def possible_flags(self, name):
        """Every flag the quantity may have; empty or with None where it is not judged."""
        verdict = self.verdicts.get(name)
        if verdict is None or name in self.unread:
            return ()
        if name in self.lower_bounds:
            return tuple({more for flag in verdict.possible for more in MORE.get(flag, (flag,))})
        return verdict.possible

    def word(self, name):
        """The word of a coded input, None if it was not sent or cannot be read."""
        if name == "csf_cytology_best":
            return self.best_cytology()
        if name in CODED_INPUTS:
            return self.words[name]
        if getattr(self, "quality_done", False) and name in self.withheld:
            return None
        words = self.coded.get(name, set())
        order = [value["word"] for value in self.edition["analytes"][name]["values"]]
        return min(words, key=order.index, default=None)

    def best_cytology(self):
        history = ((self.document.get("context") or {}).get("history") or {}).get("csf_cytology") or {}
        earlier = history.get("value") if isinstance(history, dict) else history
        words = {word for word in (self.word("csf_cytology"), earlier) if word in CYTOLOGY_ORDER}
        return min(words, key=CYTOLOGY_ORDER.index, default=None)

    def unknown_words(self, name):
        return unknown_words(name, self.edition)

    def is_known(self, name):
        analyte = self.edition["analytes"].get(name) or {}
        if name == "csf_cytology_best" or name in CODED_INPUTS or analyte.get("values"):
            return self.word(name) not in (None, *self.unknown_words(name))
        return self.quantity(name) is not None

    def statement(self, name):
        """Truth of a rule by its id, the one that is worked out earliest where two rules share an id."""
        if name not in self.memo:
            if name in self.edition["quality_by_id"]:
                self.memo[name] = self.truths.of(self.edition["quality_by_id"][name]["when"])
            elif name in self.withheld:
                self.memo[name] = UNKNOWN
            else:
                self.memo[name] = self.truths.of(self.edition["statement_by_id"][name]["when"])
        return self.memo[name]

    def finding(self, name):
        return UNKNOWN if name in self.withheld else self.truths.of(self.edition["finding_by_id"][name]["when"])

    def reaches(self, name, word):
        """A pattern has at least this grade; a table gives at least this level, or exactly this word."""
        if name in self.grades:
            return patterns.at_least_grade(self.grades[name][0], word)
        levels = self.edition["tables"][name].get("levels") or []
        answer = self.answers[name]
        answer = answer["certainty"] if "certainty" in answer else answer["status"]
        if word not in levels or answer not in levels:
            if word in levels and answer == "not_classifiable":
                return UNKNOWN
            return TRUE if answer == word else FALSE
        return TRUE if levels.index(answer) >= levels.index(word) else FALSE

    def printed(self, entries):
        """Ids of the entries that hold and that no printed one silences."""
        return [entry["id"] for entry in entries if self.is_printed(entry)]

    def is_printed(self, entry):
        key = id(entry)
        if key not in self.silent:
            self.silent[key] = self.truths.of(entry["when"]) == TRUE and not any(
                self.speaks(name) for name in entry.get("silent_if") or []
            )
        return self.silent[key]

    def speaks(self, name):
        """A rule of this name is printed: an entry that may itself be silenced, or a statement that holds."""
        entry = self.edition["entry_by_id"].get(name)
        return self.is_printed(entry) if entry else self.statement(name) == TRUE

    # The answer

    def answer(self):
        return {
            "results": self.results,
            "issues": self.issues,
            "quality": {name: WORDS[truth] for name, truth in self.quality.items()},
            "findings": {f["id"]: WORDS[self.finding(f["id"])] for f in self.edition["findings"]},
            "barrier_grade": statements.barrier_grade(self),
            "profiles": {p["id"]: statements.profile_result(self, p) for p in self.edition["profiles"]},
            "lm": self.answers["eano_esmo"],
            "hematologic_cns": self.answers["hematologic_cns"],
            "leukemia_cns": self.answers["leukemia_cns"],
            "critical": {(cell["analyte"], rule) for cell in self.cells for rule in cell["critical"]},
            "patterns": patterns.pattern_answers(self),
            "cautions": self.printed(self.edition["cautions"]),
            "statements": self.printed(self.edition["statements"]),
            "recommendations": self.printed(self.edition["recommendations"]),
            "differential": self.truths.of(self.edition["differential"]["when"]) == TRUE,
        }

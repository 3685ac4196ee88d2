"""The folder of an edition, read once: which files belong there, documents -> entries -> the edition and its laws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from csfinterp.errors import EditionError
from csfinterp.knowledge import laws, schema, schema_readings, schema_rows, schema_statements, seal
from csfinterp.knowledge.build import citation, unit_table
from csfinterp.knowledge.document import Map, Slips, read_yaml
from csfinterp.knowledge.gather import field_of, part, vocabulary
from csfinterp.knowledge.law_numbers import valid_loinc
from csfinterp.knowledge.partitions import Ages
from csfinterp.knowledge.places import Places
from csfinterp.knowledge.readings import Builder
from csfinterp.knowledge.shape import Entry as EntryShape
from csfinterp.knowledge.shape import load_entry, load_list
from csfinterp.knowledge.subject import Subject
from csfinterp.knowledge.vocabulary import FIRST_PROGRAM, QUALITY_FIRST, SECOND_PROGRAM, Vocabulary
from csfinterp.model.edition import Analyte, Derived, Differential, Edition, UnitTable

T = TypeVar("T")
Entry = dict[str, Any]
FILES = (
    "edition.yaml", "units.yaml", "derived.yaml", "limits.yaml", "critical.yaml", "options.yaml", "quality.yaml",
    "findings.yaml", "evidence.yaml", "citations.yaml", "codes_info.yaml",
)  # fmt: skip
# Files that older editions do not have, with the keys that each may hold.
OPTIONAL_FILES = {
    "patterns.yaml": ("patterns",),
    "cautions.yaml": ("cautions", "differential"),
    "statements.yaml": ("liquid_biopsy",),
    "recommendations.yaml": ("recommendations",),
    "scores.yaml": ("scores",),
}
FOLDERS = ("analytes", "profiles")


class Reading:
    """One reading of an edition folder: documents, then entries, then the edition and its laws."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder, self.digest = folder, digest
        self.slips = Slips()
        self.places = Places()
        self.gaps: dict[str, tuple[Ages, ...]] = {}
        self.documents: dict[str, object] = {}
        self._read_files()
        header = self.documents.get("edition.yaml")
        self.status = header.get("status") if isinstance(header, Map) else None

    def _read_files(self) -> None:
        present = seal.edition_files(self.folder)
        known = (*FILES, *(name for name in OPTIONAL_FILES if name in present))
        for name in (*known, *(name for name in present if name not in known)):
            parts = name.split("/")
            if name not in known and not (len(parts) == 2 and parts[0] in FOLDERS and name.endswith(".yaml")):
                self.slips.add("this file has no place in an edition; move it out of the folder", self._path(name))
                continue
            with self.slips.catching():
                self.documents[name] = read_yaml(self.folder / name, self._path(name))

    def _path(self, name: str) -> str:
        return (self.folder / name).as_posix()

    def edition(self, *, thorough: bool) -> Edition | None:
        """The edition, or None with the reasons in `slips`."""
        if self.status is not None:  # else edition.yaml itself is refused
            with self.slips.catching():
                seal.check_seal(self.folder, str(self.status), self.digest)
        if self.slips.found:
            return None
        header = self._entry(schema.EditionSchema, "edition.yaml")
        table = self._units()
        if header is None or table is None:
            return None
        edition, words = self._build(header, table)
        if self.slips.found:
            return None
        subject = Subject(edition, words, self.places, self.documents, self.gaps)
        self.slips.found.extend(laws.check(subject, thorough=thorough))
        return None if self.slips.found else edition

    def _entry(self, kind: type[EntryShape], name: str) -> Entry | None:
        return load_entry(kind, self.documents[name], self._path(name), self.slips)

    def _list(self, kind: type[EntryShape], name: str, key: str | None = None) -> list[Entry]:
        if name not in self.documents:  # an optional file
            return []
        return load_list(kind, part(self.documents, name, key), self._path(name), self.slips)

    def _folder_entries(self, kind: type[EntryShape], folder: str) -> list[Entry]:
        names = [name for name in self.documents if name.startswith(f"{folder}/")]
        entries = [self._entry(kind, name) for name in names]
        return [entry for entry in entries if entry is not None]

    def _each(self, make: Callable[[Entry], T], entries: Iterable[Entry]) -> tuple[T, ...]:
        built: list[T] = []
        for entry in entries:
            with self.slips.catching():
                built.append(make(entry))
        return tuple(built)

    def _units(self) -> UnitTable | None:
        entry = self._entry(schema.UnitsSchema, "units.yaml")
        try:
            return None if entry is None else unit_table(entry)
        except EditionError as slip:
            self.slips.found.append(slip)
            return None

    def _build(self, header: Entry, table: UnitTable) -> tuple[Edition, Vocabulary]:
        words = self._with_limits(vocabulary(self.documents, table))
        build = Builder(words, self.places)
        first = build.within(FIRST_PROGRAM)
        self._only_keys("findings.yaml", ("findings", "grade_scales"))
        self._only_keys("evidence.yaml", ("tables",))
        analytes = self._analytes(build)
        edition = Edition(
            id=header["id"],
            digest=self.digest,
            status=header["status"],
            title=header["title"],
            disclaimer=header["disclaimer"],
            units=table,
            analytes=analytes,
            derived=self._derived(build, {analyte.id: analyte for analyte in analytes}),
            limits=tuple(words.limits.values()),
            critical=self._each(build.critical, self._list(schema_rows.CriticalSchema, "critical.yaml")),
            quality=self._each(
                build.within(QUALITY_FIRST).quality, self._list(schema_statements.QualitySchema, "quality.yaml")
            ),
            findings=self._each(
                first.finding, self._list(schema_statements.FindingSchema, "findings.yaml", "findings")
            ),
            grade_scales=self._each(
                build.grade_scale, self._list(schema_statements.GradeScaleSchema, "findings.yaml", "grade_scales")
            ),
            profiles=self._each(build.profile, self._folder_entries(schema_statements.ProfileSchema, "profiles")),
            # A table that is looked up knows its coded inputs only.
            evidence=self._each(
                lambda entry: (first if entry["columns"] else build).evidence(entry),
                self._list(schema_statements.EvidenceTableSchema, "evidence.yaml", "tables"),
            ),
            options=self._each(build.option, self._list(schema_statements.OptionSchema, "options.yaml")),
            citations=self._each(self._citation, self._list(schema.CitationSchema, "citations.yaml")),
            texts=dict(header["texts"]),
            codes_info=self._codes_info(),
            not_sent_words=tuple(header["not_sent_words"]),
            organism_words={name: tuple(found) for name, found in header["organism_words"].items()},
            routine_tests=tuple(header["routine_tests"]),
            next_steps={question: tuple(found) for question, found in header["next_steps"].items()},
            tolerances={found.id: found for found in self._each(build.tolerance, header["tolerances"])},
            released_on=self._released_on(header),
            note=header["note"],
        )
        return self._with_readings(edition, build), words

    def _with_limits(self, words: Vocabulary) -> Vocabulary:
        """Decision limits are read first: every other rule may name them."""
        limits = self._each(
            Builder(words, self.places).decision_limit, self._list(schema_rows.DecisionLimitSchema, "limits.yaml")
        )
        known = {limit.id: limit for limit in limits}
        broken = frozenset(field_of(self.documents["limits.yaml"], "id")) - known.keys()
        return replace(words, limits=known, broken_limits=broken)

    def _with_readings(self, edition: Edition, build: Builder) -> Edition:
        """Patterns, cautions, statements, recommendations and scores, where the edition has them."""
        for name, keys in OPTIONAL_FILES.items():
            if name in self.documents:
                self._only_keys(name, keys)
        first, second = build.within(FIRST_PROGRAM), build.within(SECOND_PROGRAM)
        shapes = schema_readings
        return replace(
            edition,
            patterns=self._each(
                lambda entry: first.pattern(entry, second),
                self._list(shapes.PatternSchema, "patterns.yaml", "patterns"),
            ),
            cautions=self._each(second.caution, self._list(shapes.CautionSchema, "cautions.yaml", "cautions")),
            differential=self._differential(second),
            statements=self._each(
                second.liquid_biopsy, self._list(shapes.LiquidBiopsySchema, "statements.yaml", "liquid_biopsy")
            ),
            recommendations=self._each(
                second.recommendation,
                self._list(shapes.RecommendationSchema, "recommendations.yaml", "recommendations"),
            ),
            scores=self._each(second.score, self._list(shapes.ScoreSchema, "scores.yaml", "scores")),
        )

    def _differential(self, build: Builder) -> Differential | None:
        data = part(self.documents, "cautions.yaml", "differential")
        if data is None:
            return None
        entry = load_entry(schema_readings.DifferentialSchema, data, self._path("cautions.yaml"), self.slips)
        built = self._each(build.differential, () if entry is None else (entry,))
        return built[0] if built else None

    def _citation(self, entry: Entry) -> Any:
        return self.places.note(citation(entry), entry["at"])

    def _codes_info(self) -> dict[str, str]:
        known: dict[str, str] = {}
        for entry in self._list(schema.CodeInfoSchema, "codes_info.yaml"):
            at: Map = entry["at"]
            if entry["code"] in known:
                self.slips.add(f"the code {entry['code']} stands twice", at.file, at.line)
            if not valid_loinc(entry["code"]):
                self.slips.add(
                    f"LOINC {entry['code']!r} has a wrong check digit; look the code up again", at.file, at.line
                )
            known[entry["code"]] = entry["name"]
        return known

    def _released_on(self, header: Entry) -> str | None:
        at: Map = header["at"]
        if (header["released_on"] is None) != (header["status"] == "draft"):
            self.slips.add(
                "a released edition has a date in released_on, a draft has null", at.file, at.line_of("released_on")
            )
        elif header["released_on"] is not None:
            try:
                date.fromisoformat(header["released_on"])
            except ValueError:
                self.slips.add("this date does not exist", at.file, at.line_of("released_on"))
        return str(header["released_on"]) if header["released_on"] is not None else None

    def _only_keys(self, name: str, keys: tuple[str, ...]) -> None:
        data = self.documents[name]
        if not isinstance(data, Map):
            self.slips.add(f"write {' and '.join(f'{key}: [...]' for key in keys)}", self._path(name), 1)
            return
        for key in data:
            if key not in keys:
                self.slips.add(
                    f"unknown key {key!r}; known here: {', '.join(keys)}", self._path(name), data.line_of(key)
                )

    def _analytes(self, build: Builder) -> tuple[Analyte, ...]:
        entries = self._folder_entries(schema_rows.AnalyteSchema, "analytes")
        for entry in entries:
            self._note_gaps(build, entry)
        built = {analyte.id: analyte for analyte in self._each(build.analyte, entries)}
        for entry in entries:
            source, at = entry["intervals_as"], entry["at"]
            if source is None or entry["id"] not in built:
                continue
            if entry["intervals"] or source not in built or built[source].unit != built[entry["id"]].unit:
                message = "intervals_as names an analyte of the same unit, and the file has no intervals of its own"
                self.slips.add(message, at.file, at.line_of("intervals_as"))
                continue
            copied = replace(built[entry["id"]], intervals=built[source].intervals)
            built[entry["id"]] = self.places.note(copied, at)
        return tuple(built.values())

    def _derived(self, build: Builder, analytes: Mapping[str, Analyte]) -> tuple[Derived, ...]:
        entries = self._list(schema_rows.DerivedSchema, "derived.yaml")
        built = []
        for entry in entries:
            at: Map = entry["at"]
            twin = analytes.get(entry["id"])
            if twin is not None and entry["intervals"]:
                message = f"the intervals of {twin.id} stand in its analyte file"
                self.slips.add(message, at.file, at.line_of("intervals"))
            elif twin is None:
                self._note_gaps(build, entry)
            with self.slips.catching():
                item = build.derived(entry)
                built.append(item if twin is None else self.places.note(replace(item, intervals=twin.intervals), at))
        return tuple(built)

    def _note_gaps(self, build: Builder, entry: Entry) -> None:
        with self.slips.catching():
            self.gaps[entry["id"]] = tuple(build.ages(gap) for gap in entry["gaps"])

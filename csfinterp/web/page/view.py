"""The whole page of one stored version as one value; templates print it and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from csfinterp.formats.report_patterns import causes_title
from csfinterp.formats.report_words import AGE_UNITS, QUESTIONS, Part, part, parts, plain, text, texts, words
from csfinterp.service import CoursePanel, Grid, StoredPanel
from csfinterp.web.page import tell
from csfinterp.web.page.glance import Glance, glance
from csfinterp.web.page.grid import GridView, grid_view
from csfinterp.web.page.paths import Path, lm_path, other_path
from csfinterp.web.page.patterns import Patterns, patterns
from csfinterp.web.page.profiles import Profiles, profiles
from csfinterp.web.page.results import Results, results
from csfinterp.web.page.tell import Advice, Findings, Said, Score
from csfinterp.web.page.voice import Voice, Why
from csfinterp.web.words import instant

_PATHS = (
    ("hematologic", "Hematologic path", "hematologic_cns"),
    ("leukemia", "Leukemia CNS status", "leukemia_cns"),
)


@dataclass(frozen=True, slots=True)
class Causes:
    """One group of the differential of enhancement."""

    title: str
    columns: tuple[str, ...]
    why: Why


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing with its text for readers who do not see it; `frame`: width and height, to keep its place."""

    address: str
    alt: str
    frame: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class View:
    """Everything that a template reads; `document` and `stored` for what is printed as it is."""

    stored: StoredPanel
    document: Part
    voice: Voice
    identity: tuple[tuple[str, str], ...]
    glance: Glance
    results: Results
    lm: Path
    lm_asked: bool
    grid: GridView | None
    paths: tuple[tuple[str, str, Path], ...]
    patterns: Patterns
    findings: Findings
    summary: tuple[Said, ...]
    cautions: tuple[tuple[Said, ...], tuple[Said, ...]]
    causes: tuple[Causes, ...]
    liquid: tuple[Said, ...]
    scores: tuple[Score, ...]
    profiles: Profiles
    advice: Advice
    quality: tuple[Said, ...]
    context: tuple[tuple[str, str], ...]
    plots: tuple[Plot, ...]
    changed: Mapping[str, object] | None


def view(
    stored: StoredPanel,
    before: Sequence[CoursePanel],
    grid: Grid | None,
    changed: Mapping[str, object] | None,
    plots: Sequence[Plot] = (),
) -> View:
    """The view of a version. `before`: earlier panels of the patient; `grid`: that of the edition, if it is there."""
    document = stored.document
    voice = Voice(document)
    shown, found, told = results(document, voice, before), patterns(document, voice), tell.advice(document, voice)
    others = (
        ("hematologic", "Hematologic path", "hematologic_cns"),
        ("leukemia", "Leukemia CNS status", "leukemia_cns"),
    )
    paths = tuple(
        (place, title, path) for place, title, key in others if (path := other_path(document, key, voice)) is not None
    )
    certainty = text(part(document, "lm"), "certainty")
    return View(
        stored=stored,
        document=document,
        voice=voice,
        identity=tuple(_identity(stored)),
        glance=glance(document, voice, shown, found, told),
        results=shown,
        lm=lm_path(document, voice),
        lm_asked=certainty not in ("", "not_applicable") or bool(paths),
        grid=grid_view(document, grid),
        paths=paths,
        patterns=found,
        findings=tell.findings(document, voice),
        summary=tell.summary(document, voice),
        cautions=tell.cautions(document, voice),
        causes=tuple(_causes(document, voice)),
        liquid=tuple(tell.statements(parts(part(document, "liquid_biopsy"), "statements"), voice)),
        scores=tell.scores(document, voice),
        profiles=profiles(document, voice),
        advice=told,
        quality=tell.quality(document, voice),
        context=tuple(_context(document, voice)),
        plots=tuple(plots),
        changed=changed,
    )


def _identity(stored: StoredPanel) -> list[tuple[str, str]]:
    """Who, when, what, as (label, text)."""
    document = stored.document
    patient, specimen = part(document, "patient"), part(document, "specimen")
    age = part(patient, "age_at_collection")
    unit = AGE_UNITS.get(text(age, "unit"), text(age, "unit"))
    told = [
        ("Patient", text(patient, "id") or "not stated"),
        ("Sex", text(patient, "sex") or "unknown"),
        ("Age at collection", f"{text(age, 'value')} {unit}" if age else "not stated"),
        ("Collected", instant(text(specimen, "collected_at"))),
        ("Puncture site", text(specimen, "site") or "not stated"),
        ("Status", f"{text(document, 'status')}, version {stored.version}"),
    ]
    sender = text(part(stored.panel_document, "source"), "system")
    return [*told, ("Sender", sender)] if sender else told


def _causes(document: Part, voice: Voice) -> list[Causes]:
    groups = parts(part(document, "differential"), "groups")
    return [
        Causes(
            causes_title(group),
            tuple("; ".join(texts(group, key)) for key in ("leptomeningeal", "pachymeningeal", "tests")),
            voice.why({"citations": group.get("citations"), "status": group.get("status")}),
        )
        for group in groups
    ]


def _context(document: Part, voice: Voice) -> list[tuple[str, str]]:
    """The clinical context as used, in words; history apart."""
    said = {key: value for key, value in part(document, "context").items() if key != "history" and plain(value)}
    return [(_capital(voice.name(key)), _answer(key, value)) for key, value in said.items()]


def _answer(key: str, value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(words(plain(one)) for one in value.values() if plain(one))
    return QUESTIONS.get(plain(value), words(plain(value))) if key == "question" else words(plain(value))


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]

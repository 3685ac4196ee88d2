"""The verdicts with their reasons: LM certainty, hematologic path, leukemia CNS status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from csfinterp.formats.report_words import CERTAINTY, LM_REASON, Part, part, parts, text, texts, words
from csfinterp.web.page.voice import Voice, Why


@dataclass(frozen=True, slots=True)
class Path:
    """One verdict with its reasons: LM certainty, hematologic path, leukemia CNS status."""

    verdict: str
    tags: tuple[str, ...]
    text: str
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    row: str
    why: Why


def lm_path(document: Part, voice: Voice) -> Path:
    """The LM certainty with everything that is said of it."""
    lm = part(document, "lm")
    level, kind = text(lm, "certainty"), text(lm, "type")
    typed = f", type {kind}" + (" (letter open)" if lm.get("type_open") is True else "") if kind else ""
    provisional = lm.get("provisional") is True and level != "not_applicable"
    tags = (["provisional: an input is missing"] if provisional else []) + (
        ["needs review"] if lm.get("review") is True else []
    )
    reason = text(lm, "reason")
    return Path(
        CERTAINTY.get(level, words(level)) + typed,
        tuple(tags),
        LM_REASON.get(reason, words(reason)),
        tuple((label, items) for label, items in _lm_facts(lm, voice) if items),
        text(lm, "row"),
        voice.why({"citations": lm.get("citations"), "status": lm.get("status")}, text(lm, "guideline")),
    )


def _lm_facts(lm: Part, voice: Voice) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "Because", tuple(map(voice.said, texts(lm, "because")))
    missing, settle = voice.listed(texts(lm, "missing")), voice.listed(texts(lm, "would_settle"))
    yield "Missing", () if settle == missing else missing
    yield "Would settle it", settle
    bounds, solid = part(lm, "bounds"), part(lm, "if_solid")
    if text(bounds, "lowest") != text(bounds, "highest"):
        yield "Possible range", (f"{words(text(bounds, 'lowest'))} to {words(text(bounds, 'highest'))}",)
    if solid:
        kind = f", type {text(solid, 'type')}" if text(solid, "type") else ""
        yield "If a solid tumor were known", (f"{words(text(solid, 'certainty'))}{kind} (row {text(solid, 'row')})",)
    yield "Caution", tuple(voice.said(text(one, "text")) for one in parts(lm, "cautions"))


def other_path(document: Part, key: str, voice: Voice) -> Path | None:
    """The hematologic path or the leukemia CNS status; None where it does not apply."""
    path = part(document, key)
    if text(path, "status") in ("", "not_applicable"):
        return None
    missing, settle = voice.listed(texts(path, "missing")), voice.listed(texts(path, "would_settle"))
    facts = (
        ("Because", tuple(map(voice.said, texts(path, "because")))),
        ("Missing", missing),
        ("Would settle it", () if settle == missing else settle),
    )
    tags = ("provisional: an input is missing",) if path.get("provisional") is True else ()
    said = voice.said(text(path, "text")) or words(text(path, "reason"))
    status = path.get("source_status")
    why = voice.why({"citations": path.get("citations"), "status": status})
    shown = tuple(fact for fact in facts if fact[1])
    return Path(words(text(path, "status")), tags, said, shown, text(path, "row"), why)

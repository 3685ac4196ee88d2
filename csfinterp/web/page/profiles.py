"""The sample beside the published series: one line for each marker, one column for each series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from csfinterp.formats.report_words import APPLIES, Part, parts, plain, text, texts, words
from csfinterp.web.page.voice import Voice
from csfinterp.web.words import mark

_AGREES = {"agrees": "abnormal as in the series", "differs": "not abnormal", "not_evaluable": "cannot be compared"}


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a series were abnormal: percent as text, of how many; empty texts: not published."""

    percent: str
    of: str
    bar: Markup
    mark: Markup


@dataclass(frozen=True, slots=True)
class Marker:
    name: str
    direction: str
    disputed: bool
    flag: str
    agreement: str
    truth: str
    shares: tuple[Share | None, ...]
    notes: tuple[str, ...]
    sources: Markup


@dataclass(frozen=True, slots=True)
class Series:
    """One profile. `counted`: abnormal of evaluable markers."""

    name: str
    applicability: str
    applies: str
    counted: str
    text: str
    entry: str


@dataclass(frozen=True, slots=True)
class Profiles:
    series: tuple[Series, ...]
    markers: tuple[Marker, ...]
    cautions: tuple[str, ...]


def profiles(document: Part, voice: Voice) -> Profiles:
    found = parts(document, "profiles")
    names = dict.fromkeys(text(marker, "id") for profile in found for marker in parts(profile, "markers"))
    return Profiles(
        tuple(map(_series, found)),
        tuple(_marker(name, found, voice) for name in names),
        tuple(dict.fromkeys(text(profile, "caution") for profile in found if text(profile, "caution"))),
    )


def _series(profile: Part) -> Series:
    applicability = text(profile, "applicability")
    entries = dict.fromkeys(text(marker, "entry_criterion") for marker in parts(profile, "markers"))
    return Series(
        text(profile, "name"),
        applicability,
        APPLIES.get(applicability, words(applicability)),
        f"{text(profile, 'abnormal')} of {text(profile, 'evaluable')}",
        text(profile, "reason"),
        "; ".join(filter(None, entries)),
    )


def _marker(name: str, found: Sequence[Part], voice: Voice) -> Marker:
    """One marker in every series that has it; what this sample shows is the same in all of them."""
    own = [next((one for one in parts(profile, "markers") if text(one, "id") == name), None) for profile in found]
    known = [one for one in own if one is not None]
    first = known[0]
    cited = dict.fromkeys(source for one in known for source in texts(one, "citations"))
    return Marker(
        voice.name(name),
        text(first, "direction"),
        any(one.get("disputed") is True for one in known),
        text(first, "flag"),
        _AGREES.get(text(first, "agreement"), words(text(first, "agreement"))),
        text(first, "truth"),
        tuple(_share(one) for one in own),
        tuple(dict.fromkeys(voice.said(text(one, "note")) for one in known if text(one, "note"))),
        voice.cited(cited),
    )


def _share(marker: Part | None) -> Share | None:
    if marker is None:
        return None
    share = marker.get("cohort_share")
    if not isinstance(share, int | float):
        return Share("", "", Markup(), mark(text(marker, "status")))
    percent = round(share * 100, 1)
    drawn = Markup(
        '<svg class="share" viewBox="0 0 100 8" width="100" height="8" aria-hidden="true" focusable="false">'
        '<path class="track" d="M0 4H100"/><path class="band" d="M0 4H{}"/></svg>'
    ).format(percent)
    return Share(plain(percent), text(marker, "cohort_n"), drawn, mark(text(marker, "status")))

"""The EANO-ESMO grid with the place of this patient, and what another finding would make of it.

Every level comes from the table of the edition; here it is only laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from csfinterp.formats.report_words import CERTAINTY, Part, part, text, texts, words
from csfinterp.service import Grid

CYTOLOGY, MRI, SIGNS = "csf_cytology", "mri", "clinical_signs"
_WORDS = {"linear_nodular": "linear and nodular", "primary_cns": "primary CNS tumor"}
_MRI_TITLES = {"A": "linear", "B": "nodular", "C": "linear and nodular", "D": "neither"}
_AXES = (("tumor", "Tumor"), (CYTOLOGY, "Cytology"), (MRI, "MRI"), (SIGNS, "Clinical signs"))


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the grid; `here`: this patient's, `open`: it may be this patient's once all is known."""

    level: str
    type: str
    here: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Line:
    title: str
    note: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """What another word of one input would give. `now`: the word in force, empty if it is not known."""

    input: str
    now: str
    instead: str
    answer: str
    row: str
    changed: bool


@dataclass(frozen=True, slots=True)
class GridView:
    columns: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    moves: tuple[Move, ...]
    assumed: bool


def grid_view(document: Part, grid: Grid | None) -> GridView | None:
    """The grid of a document; None where it does not apply or its edition is not at hand."""
    lm = part(document, "lm")
    if grid is None or text(lm, "certainty") in ("", "not_applicable"):
        return None
    if grid.digest != text(part(document, "edition"), "digest"):
        return None
    known = _known(lm)
    held = {"tumor": "solid"} | known
    letters = sorted(set(grid.letters.values()))
    return GridView(
        tuple((letter, _MRI_TITLES.get(letter, letter)) for letter in letters),
        tuple(_lines(grid, held, letters)),
        tuple(_moves(grid, known)),
        "tumor" not in known,
    )


def _known(lm: Part) -> dict[str, str]:
    """The inputs that the answer rests on, as the document names them: "mri linear"."""
    pairs = (reason.split(" ")[:2] for reason in texts(lm, "because"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _lines(grid: Grid, held: Mapping[str, str], letters: Sequence[str]) -> Iterator[Line]:
    negative = tuple(word for word in grid.words[CYTOLOGY] if word != "positive")
    others = tuple(word for word in grid.words[SIGNS] if word != "typical")
    lines = (
        ("Tumor cells found", "cytology or biopsy positive", ("positive",), grid.words[SIGNS]),
        ("No tumor cells found, typical signs", "cytology negative or equivocal", negative, ("typical",)),
        ("No tumor cells found, other or no signs", "cytology negative or equivocal", negative, others),
    )
    for title, note, cytology, signs in lines:
        yield Line(title, note, tuple(_cell(grid, held, cytology, signs, letter) for letter in letters))


def _cell(grid: Grid, held: Mapping[str, str], cytology: Sequence[str], signs: Sequence[str], letter: str) -> Cell:
    mri = tuple(word for word, own in grid.letters.items() if own == letter)
    answers = [
        grid.at(tumor="solid", **{CYTOLOGY: cells, MRI: seen, SIGNS: felt})
        for cells, seen, felt in product(cytology, mri, signs)
    ]
    levels = dict.fromkeys(words(answer.certainty) for answer in answers)
    types = dict.fromkeys(answer.type for answer in answers if answer.type)
    cells = "positive" if held.get("biopsy") == "positive" else held.get(CYTOLOGY)
    axes = ((cells, cytology), (held.get(MRI), mri), (held.get(SIGNS), signs))
    fits = all(word is None or word in of for word, of in axes)
    # The signs decide nothing where cells were found, so not knowing them leaves nothing open there.
    sure = fits and all(word is not None or (len(levels) == 1 and of == grid.words[SIGNS]) for word, of in axes)
    return Cell(" or ".join(levels), " or ".join(types), sure, fits and not sure)


def _moves(grid: Grid, known: Mapping[str, str]) -> Iterator[Move]:
    """Per input the words that would give another level, words of one answer together; of a missing input all words.

    Tumor cells that were found stay found, whatever a later sample shows.
    """
    now = grid.at(**known)
    for name, title in _AXES:
        own = known.get(name)
        if own == "positive" or (name == "tumor" and own == "solid"):
            continue
        found: dict[tuple[str, str], list[str]] = {}
        for word in grid.words[name]:
            answer = grid.at(**{**known, name: word})
            if word != own and (own is None or answer.certainty != now.certainty):
                found.setdefault((_said(answer.certainty, answer.type), answer.row), []).append(word)
        for (said, row), instead in found.items():
            changed = said != _said(now.certainty, now.type)
            yield Move(title, _word(own or ""), " or ".join(map(_word, instead)), said, row, changed)


def _word(answer: str) -> str:
    return _WORDS.get(answer, words(answer))


def _said(certainty: str, kind: str | None) -> str:
    return CERTAINTY.get(certainty, words(certainty)) + (f", type {kind}" if kind else "")

"""For notebooks: Reibergrams of a cohort from the table that `csfinterp.interpret_frame` returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from csfinterp.errors import DocumentError, EditionError, Fault
from csfinterp.model.edition import Edition
from csfinterp.operations import stateless_service
from csfinterp.plot import cohort, svg
from csfinterp.plot.cohort import Cloud, Group
from csfinterp.plot.diagram import ALBUMIN_RANGE, SIZE
from csfinterp.plotting.curves import CLASSES, Ground, ground
from csfinterp.plotting.readings import RAISED
from csfinterp.service import Service
from csfinterp.settings import Settings

ALBUMIN, LIMIT = "albumin_quotient", "albumin_quotient_limit"
MOST_GROUPS = 6


@dataclass(frozen=True)
class Figure:
    """A drawing for a notebook, which shows it by itself; `svg` is its text, `description` says what it shows."""

    cloud: Cloud
    description: str

    @cached_property
    def svg(self) -> str:
        return svg.render(lambda: cohort.figure(self.cloud), self.cloud.title, self.description)

    def save(self, path: str | Path) -> None:
        """Writes an SVG file (light, for papers and slides). Raises ValueError for another ending."""
        target = Path(path)
        if target.suffix != ".svg":
            raise ValueError("The drawing is saved as SVG; name a file that ends in .svg.")
        target.write_text(svg.printed(self.svg), encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg


def reibergram(frame: pd.DataFrame, immunoglobulin: str = "igg", by: str | None = None, title: str = "") -> Figure:
    """The Reibergram of a cohort: albumin quotient against the quotient of a class, both in 1e-3.

    `frame`: the table of `csfinterp.interpret_frame` or `csfinterp cohort`, made with one edition; its curves are
    drawn. `immunoglobulin`: "igg", "iga", "igm" or "kappa". `by`: a column whose values (at most 6) get shapes of their
    own, for example `lm_certainty`, or one that you added. A row without both quotients as exact numbers is not drawn,
    and the drawing says how many; hollow: the answer gives no verdict (no flag). The zones are counted by the flags.
    Raises DocumentError for a frame without these columns, with several editions or too many groups; NotFoundError,
    EditionError if its edition is not the one that is installed.
    """
    name = immunoglobulin.lower()
    _check(frame, name, by)
    return drawn(frame, name, _edition(frame), by, title)


def drawn(frame: pd.DataFrame, name: str, edition: Edition, by: str | None = None, title: str = "",
          size: float = SIZE) -> Figure:  # fmt: skip
    """`reibergram` of a frame that was checked."""
    base = ground(edition, name)
    if base is None:
        raise DocumentError(f"Edition {edition.id} has no limit curve for {name}.", ())
    albumin, quotient = _exact(frame, ALBUMIN), _exact(frame, f"{name}_quotient")
    there = (albumin > 0) & (quotient > 0)
    judged = frame[f"{ALBUMIN}_flag"].notna() & frame[f"{name}_quotient_flag"].notna()
    rows = frame[there]
    labels = pd.Series("all", rows.index) if by is None else rows[by].astype("string").fillna("not stated")
    groups = tuple(
        Group(f"{label} (n = {int((labels == label).sum())})", *(column[there][labels == label].to_numpy() for column in
              (albumin, quotient, judged)))
        for label in sorted(labels.unique())
    )  # fmt: skip
    limits = _exact(rows, LIMIT).dropna()
    notes = tuple(_notes(frame, rows, name, base, judged[there], (albumin[there], quotient[there])))
    shown = f"Reibergram: {'kappa free light chains' if name == 'kappa' else CLASSES[name]}"
    ages = None if limits.empty else (float(limits.min()), float(limits.max()))
    cloud = Cloud(base.grid, title or shown, groups, ages, notes, size)
    named = [f"{group.name}." for group in groups] if by is not None else []
    return Figure(cloud, " ".join([f"{shown} of a cohort.", *named, *notes]))


def _check(frame: pd.DataFrame, name: str, by: str | None) -> None:
    if name not in CLASSES:
        raise DocumentError(f"There is no class {name!r}. Send one of: {', '.join(CLASSES)}.", ())
    wanted = [ALBUMIN, f"{ALBUMIN}_flag", LIMIT, f"{name}_quotient", f"{name}_quotient_flag", "edition",
              "edition_digest", *([by] if by else [])]  # fmt: skip
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        text = f"The frame has no column {', '.join(missing)}. Send the table of csfinterp.interpret_frame."
        raise DocumentError(text, tuple(Fault(f"/{column}", "Missing.") for column in missing))
    if by and frame[by].nunique(dropna=False) > MOST_GROUPS:
        raise DocumentError(f"{by} has more than {MOST_GROUPS} values. Group them first.", ())


def _edition(frame: pd.DataFrame) -> Edition:
    found = frame[["edition", "edition_digest"]].dropna().drop_duplicates().itertuples(index=False, name=None)
    named = list(found)
    if len(named) > 1:
        raise DocumentError("The frame mixes editions, and each has curves of its own. Draw each by itself.", ())
    return installed(*named[0]) if named else installed(None, None)


def installed(name: str | None, digest: str | None) -> Edition:
    """The edition of this id (None: the one in force). Raises EditionError if its digest is another."""
    edition = _service().core(name).edition
    if digest is not None and edition.digest != digest:
        raise EditionError(f"The table was made with another edition {name} ({digest}) than the one installed.")
    return edition


@lru_cache(maxsize=1)
def _service() -> Service:
    return stateless_service(Settings.load())


def _exact(frame: pd.DataFrame, column: str) -> pd.Series:
    """Numbers of a column; a value of which only a bound is known is missing."""
    found = pd.to_numeric(frame[column], errors="coerce").astype("float64")
    mark = f"{column}_comparator"
    return found.where(frame[mark].isna()) if mark in frame.columns else found


def _notes(frame: pd.DataFrame, rows: pd.DataFrame, name: str, base: Ground, judged: pd.Series,
           drawn_at: Sequence[pd.Series]) -> Iterator[str]:  # fmt: skip
    yield f"{len(rows)} of {len(frame)} panels drawn; {len(frame) - len(rows)} without both quotients as numbers."
    if len(rows) > cohort.MOST_POINTS:
        yield "The darker, the more panels."
    high = [rows[judged][f"{column}_flag"].isin(RAISED).to_numpy() for column in (ALBUMIN, f"{name}_quotient")]
    zone = 1 + high[0].astype(int) + 2 * high[1].astype(int)
    counts = np.bincount(zone, minlength=5)
    if base.grid.zones:
        yield "By the flags: " + ", ".join(f"zone {number}: {counts[number]}" for number in range(1, 5)) + "."
    else:
        yield f"By the flags: above the limit: {counts[3] + counts[4]}, not above: {counts[1] + counts[2]}."
    if not judged.all():
        yield f"Hollow: {int((~judged).sum())} without a verdict."
    albumin, quotient = drawn_at
    (left, right), (low, high_end) = ALBUMIN_RANGE, base.grid.y_range
    beyond = ~(albumin.between(left, right) & quotient.between(low, high_end))
    if beyond.any():
        yield f"At the edge: {int(beyond.sum())} beyond the drawn range."
    yield from base.remarks

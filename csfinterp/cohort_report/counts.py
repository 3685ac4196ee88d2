"""The table of a cohort, counted in one pass in chunks: certainty, patterns, flags by tumor class, what is missing.

Only what the table says is counted; no value is judged here. Of single panels only the quotients are kept, for the
Reibergrams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from csfinterp.errors import CsfinterpError
from csfinterp.model.edition import Edition
from csfinterp.plotting.curves import CLASSES
from csfinterp.plotting.frame import ALBUMIN, LIMIT, installed

CHUNK = 5_000
FLAGS = pd.CategoricalDtype(["N", "L", "H", "LL", "HH", "A", "AA"])
MARKS = pd.CategoricalDtype(["<", "<=", ">", ">="])
NOT_STATED = "not stated"
NOT_JUDGED = ""
ENTRY = ("csf_cytology", "positive")  # the entry criterion of the cohorts that the edition's profiles come from
_ALWAYS = ("panel_id", "edition", "edition_digest", "lm_certainty")


class CohortTableError(CsfinterpError):
    """A table that cannot be counted; the message says what to send."""


@dataclass
class Counts:
    """`flags`: (analyte, tumor class, flag) -> panels; a value without a flag counts under "". `entered`: the same of
    panels that meet the entry criterion of the published cohorts. `classes`: panels by tumor class.

    `quotients`: the columns that Reibergrams need, of all panels.
    """

    edition: Edition
    panels: int = 0
    refused: int = 0
    critical: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    entered_classes: Counter[str] = field(default_factory=Counter)
    certainty: Counter[str] = field(default_factory=Counter)
    provisional: Counter[str] = field(default_factory=Counter)
    patterns: Counter[tuple[str, str]] = field(default_factory=Counter)
    flags: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    entered: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    quotients: pd.DataFrame = field(default_factory=pd.DataFrame)

    def judged(self, analyte: str, tumor: str | None = None, *, entered: bool = False) -> Counter[str]:
        """Flag -> panels of an analyte, of one tumor class or of all."""
        found: Counter[str] = Counter()
        for (name, group, flag), count in (self.entered if entered else self.flags).items():
            if name == analyte and tumor in (None, group):
                found[flag] += count
        return found


def count(table: Path, panels: Path | None = None) -> Counts:
    """Counts a table of `csfinterp cohort` (CSV, gz, Parquet), whatever its size.

    The tumor class comes from a column `tumor` of the table, else from the column `tumor` of `panels`, the input of the
    run (by panel_id). Raises CohortTableError, EditionError if the table was made with another edition.
    """
    tumor = {} if panels is None else _tumor_of(panels)
    found: Counts | None = None
    kept = []
    for chunk in _chunks(table, None):
        found = found or Counts(_edition(chunk, table))
        _same_edition(found.edition, chunk, table)
        kept.append(_add(found, chunk, tumor))
    if found is None:
        raise CohortTableError(f"{table.name} has no row. Send the table that csfinterp cohort wrote.")
    found.quotients = pd.concat(kept, ignore_index=True)
    return found


def _add(found: Counts, chunk: pd.DataFrame, tumor: Mapping[str, str]) -> pd.DataFrame:
    found.panels += len(chunk)
    answered = chunk[chunk["lm_certainty"].notna()]
    found.refused += len(chunk) - len(answered)
    if "critical" in answered:
        found.critical += int((answered["critical"].fillna("0") != "0").sum())
    classes = answered["tumor"] if "tumor" in answered else answered["panel_id"].map(tumor)
    classes = classes.astype("object").fillna(NOT_STATED)
    found.classes.update(classes.tolist())
    found.certainty.update(answered["lm_certainty"].tolist())
    if "lm_provisional" in answered:
        open_ones = answered["lm_provisional"].str.lower() == "true"
        found.provisional.update(answered["lm_certainty"][open_ones].tolist())
    for pattern in found.edition.patterns:
        column = f"pattern_{pattern.id}"
        if column in answered:
            found.patterns.update((pattern.id, grade) for grade in answered[column].dropna().tolist())
    name, word = ENTRY
    entered = answered[name] == word if name in answered else pd.Series(False, answered.index)
    found.entered_classes.update(classes[entered].tolist())
    for analyte in analytes(found.edition):
        if analyte in answered and f"{analyte}_flag" in answered:
            flags = answered[f"{analyte}_flag"].fillna(NOT_JUDGED)
            there = answered[analyte].notna() | (flags != NOT_JUDGED)
            for rows, counter in ((there, found.flags), (there & entered, found.entered)):
                for (group, flag), size in Counter(zip(classes[rows], flags[rows], strict=True)).items():
                    counter[analyte, group, flag] += size
    return pd.DataFrame({column: _small(chunk[column]) for column in _quotient_columns() if column in chunk})


def _small(column: pd.Series) -> pd.Series:
    """The same values in few bytes: numbers, or one of the known words."""
    if str(column.name).endswith("_flag"):
        return column.astype(FLAGS)
    return column.astype(MARKS) if str(column.name).endswith("_comparator") else pd.to_numeric(column, errors="coerce")


def analytes(edition: Edition) -> dict[str, str]:
    """Id -> name of what may carry a flag: analytes and calculated results, in the order of the edition."""
    derived = {entry.id: entry.name for entry in edition.derived if entry.kind == "derived"}
    measured = {entry.id: entry.name for entry in edition.analytes}
    return measured | {name: said for name, said in derived.items() if name not in measured}


def _quotient_columns() -> list[str]:
    quotients = [column for name in CLASSES for column in (f"{name}_quotient", f"{name}_quotient_flag")]
    return [ALBUMIN, f"{ALBUMIN}_flag", f"{ALBUMIN}_comparator", LIMIT, *quotients]


def _edition(chunk: pd.DataFrame, table: Path) -> Edition:
    missing = [name for name in _ALWAYS if name not in chunk.columns]
    if missing:
        text = f"{table.name} has no column {', '.join(missing)}. Send the table that csfinterp cohort wrote."
        raise CohortTableError(text)
    first = chunk[["edition", "edition_digest"]].dropna().head(1)
    if first.empty:
        raise CohortTableError(f"{table.name} names no edition. Send the table that csfinterp cohort wrote.")
    return installed(str(first.iloc[0, 0]), str(first.iloc[0, 1]))


def _same_edition(edition: Edition, chunk: pd.DataFrame, table: Path) -> None:
    if (chunk["edition_digest"].dropna() != edition.digest).any():
        raise CohortTableError(f"{table.name} mixes editions. Send a table of one run of csfinterp cohort.")


def _tumor_of(panels: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for chunk in _chunks(panels, ("panel_id", "tumor")):
        if not {"panel_id", "tumor"} <= set(chunk.columns):
            raise CohortTableError(
                f"{panels.name} has no columns panel_id and tumor. Send the input of csfinterp cohort."
            )
        known = chunk.dropna()
        found |= dict(zip(known["panel_id"], known["tumor"], strict=True))
    return found


def _chunks(path: Path, only: tuple[str, ...] | None) -> Iterator[pd.DataFrame]:
    """The file as text columns, chunk by chunk; `only`: the columns to read where they exist."""
    try:
        if path.name.endswith(".parquet"):
            yield from _parquet(path, only)
        else:
            columns = None if only is None else lambda name: name in only
            yield from pd.read_csv(
                path, dtype="str", chunksize=CHUNK, keep_default_na=False, na_values=[""], usecols=columns
            )
    except (OSError, EOFError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no whole CSV file in UTF-8"
        raise CohortTableError(f"{path.name} cannot be read: {reason}.") from None


def _parquet(path: Path, only: tuple[str, ...] | None) -> Iterator[pd.DataFrame]:
    try:
        from pyarrow import parquet
    except ImportError:
        text = "Parquet needs pyarrow: pip install 'csfinterp[research]'. Or send the table as CSV."
        raise CohortTableError(text) from None
    file = parquet.ParquetFile(path)
    names = [name for name in file.schema_arrow.names if only is None or name in only]
    for batch in file.iter_batches(CHUNK, columns=names):
        frame = batch.to_pandas()
        yield frame.astype("str").where(frame.notna())

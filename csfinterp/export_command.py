"""The command `csfinterp export`: what is stored, as the researcher's table; the bytes of the HTTP exports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import orjson

from csfinterp import operations
from csfinterp.exports.exporter import OBSERVATIONS, PANELS, Wanted, check_identified
from csfinterp.service import PanelFilter
from csfinterp.settings import Settings

FILTERS = (
    "patient", "specimen", "source", "collected_from", "collected_to", "certainty", "flag", "finding", "critical",
    "provisional",
)  # fmt: skip


@click.command()
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--table", type=click.Choice((PANELS, OBSERVATIONS)), default=PANELS, show_default=True)
@click.option("--columns", help="Names with commas between.  [default: all]")
@click.option("--project", default="default", show_default=True, help="Each project has pseudonyms of its own.")
@click.option("--identified", is_flag=True, help="Ids, dates and texts as stored.  [default: de-identified]")
@click.option(
    "--filter", "filters", metavar="NAME=VALUE", multiple=True, help=f"As in the search: {', '.join(FILTERS)}."
)
def export(
    target: Path, table: str, columns: str | None, project: str, identified: bool, filters: tuple[str, ...]
) -> None:
    """Write the newest version of every stored panel to OUT: CSV, or Parquet if its name ends in .parquet.

    De-identified unless --identified is given: keyed pseudonyms, dates shifted for each patient, ages of 90 and over
    are 90. Beside OUT stand OUT.manifest.json (counts, what was left out, small groups), OUT.dictionary.csv and
    OUT.schema.json.
    """
    names = tuple(name.strip() for name in (columns or "").split(",") if name.strip())
    wanted = Wanted(table, stated_filter(filters), names, identified, project)
    check_identified(wanted, may_identify=True)  # who may open the database may read it
    exporter = operations.open_service(Settings.load()).exporter()
    packed = target.suffix == ".parquet"
    if packed and table != PANELS:
        raise click.UsageError("Parquet is written of the table panels; name a .csv file.")
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("wb") as stream:
            for piece in exporter.parquet(wanted) if packed else exporter.csv(wanted):
                stream.write(piece)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    manifest = exporter.manifest(wanted)
    beside = {
        ".manifest.json": orjson.dumps(manifest, option=orjson.OPT_INDENT_2).decode() + "\n",
        ".dictionary.csv": exporter.dictionary(wanted),
        ".schema.json": exporter.table_schema(wanted),
    }
    for ending, text in beside.items():
        target.with_name(target.name + ending).write_text(text, encoding="utf-8", newline="")
    click.echo(f"Written: {target} ({manifest['counts']})", err=True)


def stated_filter(pairs: Iterable[str]) -> PanelFilter:
    """The filters of a search from texts NAME=VALUE. Raises UsageError."""
    stated = dict(text.partition("=")[::2] for text in pairs)
    unknown = sorted(set(stated) - set(FILTERS))
    if unknown:
        raise click.UsageError(f"--filter: {unknown[0]} is no filter. Known are {', '.join(FILTERS)}.")
    patient, specimen, source, first, last, certainty, flag, finding, critical, open_ = map(stated.get, FILTERS)
    return PanelFilter(patient, specimen, source, first, last, certainty, flag, finding, critical, provisional=open_)

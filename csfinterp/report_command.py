"""The command `csfinterp report`: the table of a cohort in, one page with counts, shares and Reibergrams out."""

from __future__ import annotations

from pathlib import Path

import click

ENDINGS = (".html", ".pdf")


@click.command()
@click.argument("table", metavar="TABLE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="REPORT", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--panels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The input of the run: its columns panel_id and tumor tell the tumor class, unless TABLE has a column tumor.",
)
def report(table: Path, target: Path, panels: Path | None) -> None:
    """Count TABLE, which csfinterp cohort wrote (CSV, .csv.gz or Parquet), and write REPORT (.html or .pdf).

    Counts by certainty and pattern, abnormal shares by tumor class beside the published ones, Reibergrams, and what is
    missing. The same table gives the same bytes. PDF needs the extra pdf.
    """
    if target.suffix not in ENDINGS:
        raise click.BadParameter("Name a file that ends in .html or .pdf.", param_hint="REPORT")
    from csfinterp.cohort_report.view import write  # pandas and matplotlib: no other command waits for them

    counts = write(table, target, panels)
    click.echo(f"{counts.panels} panels, {counts.refused} refused; written: {target}", err=True)

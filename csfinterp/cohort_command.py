"""The command `csfinterp cohort`: a file of panels in, the researcher's table out."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from csfinterp.cohort.run import run_cohort
from csfinterp.settings import Settings

MOST_LINES = 40


@click.command()
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--edition", help="Id of the edition.  [default: the edition in force]")
def cohort(source: Path, target: Path, edition: str | None) -> None:
    """Interpret the panels of IN (CSV, one row a panel or one row a result) and write one row a panel to OUT (CSV).

    A name that ends in .gz is compressed. Beside OUT stand OUT.manifest.json (edition, digests, counts, what could not
    be used) and OUT.dictionary.csv (what every column means); files of these names are replaced.
    One process reads from start to end: a run that is broken off leaves no OUT and starts anew.
    The guide pull_a_cohort.md shows the columns of IN.
    Exit code: 0 all interpreted, 1 some panels were refused (their rows hold their ids alone), 2 bad usage.
    """
    settings = Settings.load()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Interpreting", total=source.stat().st_size)

        def tell(size: int, panels: int) -> None:
            speed = progress.tasks[task].elapsed or 0.0
            rate = f", {panels / speed:,.0f}/s" if speed else ""
            progress.update(task, completed=size, description=f"{panels:,} panels{rate}")

        report = run_cohort(settings, source, target, edition, tell)
    lines = list(report.lines())
    for line in lines[:MOST_LINES]:
        click.echo(line, err=True)
    if len(lines) > MOST_LINES:
        click.echo(f"… and {len(lines) - MOST_LINES} more kinds, in {target.name}.manifest.json", err=True)
    click.echo(f"{report.panels} panels, {report.refusals} refused; written: {target}", err=True)
    if report.refusals:
        sys.exit(1)

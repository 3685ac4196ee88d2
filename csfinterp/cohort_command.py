"""The command `csfinterp cohort`: a file of panels in, the researcher's table out."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from csfinterp.cohort.run import How, run_cohort
from csfinterp.settings import Settings

MOST_LINES = 40


@click.command()
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--edition", help="Id of the edition.  [default: the edition in force]")
@click.option("--code-map", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Local codes (as in config/code_maps) for rows that name no source_system.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes of this machine.")
@click.option("--cluster", metavar="ADDRESS", help="Scheduler of a Dask cluster that answers instead, tcp://HOST:8786.")
def cohort(
    source: Path, target: Path, edition: str | None, code_map: Path | None, workers: int, cluster: str | None
) -> None:
    """Interpret the panels of IN (one row a panel or one row a result) and write one row a panel to OUT.

    CSV; a name that ends in .gz is compressed, in .parquet is Parquet. Beside OUT stand OUT.manifest.json (edition,
    digests, counts, what could not be used), OUT.dictionary.csv (what every column means) and OUT.schema.json (the
    same as a Frictionless Table Schema); files of these names are replaced.
    A run that is broken off leaves OUT.partial and OUT.journal; the same command goes on there and gives the same
    bytes, with any number of workers.
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

        report = run_cohort(settings, source, target, How(edition, code_map, workers, cluster), tell)
    lines = list(report.lines())
    for line in lines[:MOST_LINES]:
        click.echo(line, err=True)
    if len(lines) > MOST_LINES:
        click.echo(f"… and {len(lines) - MOST_LINES} more kinds, in {target.name}.manifest.json", err=True)
    click.echo(f"{report.panels} panels, {report.refusals} refused; written: {target}", err=True)
    if report.refusals:
        sys.exit(1)

"""The command `csfinterp reinterpret`: a stored cohort read again with another edition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from csfinterp import acting, operations
from csfinterp.export_command import FILTERS, stated_filter
from csfinterp.rereading import Tally
from csfinterp.settings import Settings

MOST_LINES = 40
PARTS = (("certainties", "LM certainty"), ("patterns", "Pattern"), ("flags", "Flag"), ("findings", "Finding"))


@click.command()
@click.option("--edition", "edition_id", required=True, help="The edition to read the panels with.")
@click.option("--dry-run", is_flag=True, help="Say what would change; store nothing.")
@click.option("--json", "as_json", is_flag=True, help="The counts as JSON, with the ids of the panels that change.")
@click.option(
    "--filter", "filters", metavar="NAME=VALUE", multiple=True, help=f"As in the search: {', '.join(FILTERS)}."
)
def reinterpret(edition_id: str, dry_run: bool, as_json: bool, filters: tuple[str, ...]) -> None:
    """Read the newest version of every stored panel again with another edition, and store the new versions.

    First look with --dry-run: how many flags, certainties, patterns and findings change, and which. What its newest
    version has read with this edition already is left alone, so an interrupted run goes on where it stopped. Earlier
    versions stay readable.
    """
    wanted = stated_filter(filters)
    acting.become(acting.operator(), "reinterpret")
    rereading = operations.open_service(Settings.load()).rereading(edition_id)
    tally, written = Tally(), 0
    for panel_id in _watched(rereading.compare(wanted, tally)):
        if not dry_run:
            rereading.write(panel_id)
            written += 1
    found = {"edition": edition_id, "dry_run": dry_run, "written": written, **tally.document()}
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)


def _watched(panels: Iterator[str]) -> Iterator[str]:
    """The same, with a count on standard error."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(panels, description="panels read again", total=None)


def _print(found: dict[str, Any]) -> None:
    console = Console(soft_wrap=True)
    stored = "Nothing was stored." if found["dry_run"] else f"New versions stored: {found['written']}."
    console.print(
        f"Edition {found['edition']}: {found['read']} panels read again, {found['changed']} of them say something"
        f" else; {found['same_edition']} had been read with it before. {stored}"
    )
    for part, title in PARTS:
        rows = found[part]
        if not rows:
            continue
        named = part != "certainties"
        table = Table(
            title=f"{title}: {len(rows)} {'kind' if len(rows) == 1 else 'kinds'} of change", title_justify="left"
        )
        for column in (*((title.lower(),) if named else ()), "before", "after"):
            table.add_column(column)
        table.add_column("panels", justify="right")
        for row in rows[:MOST_LINES]:
            name = (row["id"],) if named else ()
            table.add_row(*name, _word(row["before"]), _word(row["after"]), str(row["panels"]))
        console.print(table)
        if len(rows) > MOST_LINES:
            console.print(f"and {len(rows) - MOST_LINES} more; --json lists all")


def _word(word: str | None) -> str:
    return "(not there)" if word is None else word.replace("_", " ")

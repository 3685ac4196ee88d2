"""`csfinterp held`: list what could not be joined to a case, look at it, release or discard it."""

from __future__ import annotations

import getpass

import click
import orjson

from csfinterp import acting, operations
from csfinterp.held import STATES, WAITING, HeldMessages, Ruling
from csfinterp.settings import Settings

BY = click.option("--by", default=getpass.getuser, show_default="your user name", help="Who decides.")
NOTE = click.option("--note", required=True, help="Why; it is kept with the message.")


@click.group("held")
def held() -> None:
    """Messages that were joined to no case: same specimen with another patient id, same message id with other content.

    They wait until somebody decides and are never removed: what is discarded stays readable.
    """


def _messages() -> HeldMessages:
    acting.become(acting.operator(), "held")
    return operations.open_service(Settings.load()).held


@held.command("list")
@click.option("--state", type=click.Choice((*STATES, "all")), default=WAITING, show_default=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", type=click.IntRange(0), help="Begin behind this number.")
def listed(state: str, limit: int, after: int | None) -> None:
    """One line a message, the oldest first; no patient is printed."""
    for one in _messages().listed(None if state == "all" else state, limit, after):
        met = f" (panel {one['met']['panel_id']} version {one['met']['version']})" if one["met"] else ""
        became = f" -> panel {one['panel_id']} version {one['version']}" if one["panel_id"] else ""
        told = f" by {one['decided_by']}: {one['note']}" if one["decided_by"] else ""
        about = f"specimen {one['specimen_id']} of {one['source'] or 'no system'}: {one['reason']}"
        click.echo(f"{one['id']:>6}  {one['state']:9} {one['received_at']}  {about}{met}{became}{told}")


@held.command("show")
@click.argument("number", type=click.IntRange(1))
def show(number: int) -> None:
    """The message as received and the panel that it met, as JSON (patient data: mind who reads your screen)."""
    click.echo(orjson.dumps(_messages().show(number), option=orjson.OPT_INDENT_2).decode())


@held.command("release")
@click.argument("number", type=click.IntRange(1))
@click.option("--join", is_flag=True, help="It is the patient of the stored specimen: take the patient id of that.")
@click.option("--specimen", metavar="ID", help="It is a specimen of its own: store it under this id.")
@NOTE
@BY
def release(number: int, join: bool, specimen: str | None, note: str, by: str) -> None:
    """Store and interpret the message after all."""
    done = _messages().release(number, Ruling(by, note, join, specimen))
    click.echo(f"Released as panel {done.panel_id} version {done.version}.")


@held.command("discard")
@click.argument("number", type=click.IntRange(1))
@NOTE
@BY
def discard(number: int, note: str, by: str) -> None:
    """Decide that it is not to be stored as a panel; the message itself stays."""
    _messages().discard(number, Ruling(by, note))
    click.echo("Discarded; `csfinterp held show` still shows it.")

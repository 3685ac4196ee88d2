"""`csfinterp deliver`: send what the outbox holds, list it, send it again."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import click

from csfinterp import acting, logs, operations
from csfinterp.settings import Settings


@click.command()
@click.option("--once", is_flag=True, help="Try everything that is due now, then exit.")
@click.option("--list", "listing", is_flag=True, help="Show deliveries, the newest first, and exit.")
@click.option("--replay", metavar="DESTINATION", help="Let dead deliveries of a destination wait again, and exit.")
@click.option("--event", "events", multiple=True, metavar="ID", help="With --replay: only this event; may repeat.")
@click.option("--all", "every", is_flag=True, help="With --replay: also what was sent, and what was never noted.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="With --replay: from this UTC time."
)
@click.option("--state", type=click.Choice(["waiting", "sent", "dead"]), help="With --list.")
@click.option("--destination", help="With --list.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="With --list.")
def deliver(
    once: bool, listing: bool, replay: str | None, events: tuple[str, ...], every: bool, since: datetime | None,
    state: str | None, destination: str | None, limit: int,
) -> None:  # fmt: skip
    """Send events to the destinations of the site (webhooks, HL7): signed, tried again over days, then kept as dead.

    Run one or several beside the service; SIGTERM ends after the try that is under way.
    """
    acting.become("service:deliver", "deliver")
    settings = Settings.load()
    if listing:
        _show(settings, destination, state, limit)
    elif replay is not None:
        moment = since.replace(tzinfo=UTC) if since else None
        count = operations.replay(settings, replay, events, every=every, since=moment)
        click.echo(f"{count} waiting again for {replay}.")
    else:
        _work(settings, once)


def _show(settings: Settings, destination: str | None, state: str | None, limit: int) -> None:
    for one in operations.deliveries(settings, destination, state, limit):
        event = f"{one.event.type:22} {one.event.id} {one.event.panel_id} version {one.event.version}"
        click.echo(f"{one.state:8} {one.destination:16} {event} tries {one.tries} {one.last_error or ''}".rstrip())


def _work(settings: Settings, once: bool) -> None:
    logs.configure(settings)
    worker = operations.delivery_worker(settings)
    if once:
        click.echo(f"{worker.send_due()} tried.")
        worker.tidy()
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()

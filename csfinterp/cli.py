"""The command line: csfinterp demo, serve, mllp, interpret, cohort, edition, db."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import csfinterp
from csfinterp import acting, mllp, operations
from csfinterp import demo as demonstration
from csfinterp.account_commands import audit, token, user
from csfinterp.cohort_command import cohort
from csfinterp.deliver import deliver
from csfinterp.errors import CsfinterpError, DocumentError
from csfinterp.export_command import export
from csfinterp.formats import FORMATS, ReadLimits, report_trace
from csfinterp.held_command import held
from csfinterp.model.edition import Edition
from csfinterp.model.panel import Panel
from csfinterp.reinterpret_command import reinterpret
from csfinterp.report_command import report
from csfinterp.samples import SAMPLES
from csfinterp.service import Service
from csfinterp.serving import gunicorn_command
from csfinterp.settings import Settings

CHUNK = 256
READABLE = tuple(name for name, form in FORMATS.items() if form.read or form.read_many)
WRITABLE = tuple(name for name, form in FORMATS.items() if form.write is not None)


class Commands(click.Group):
    """Errors of ours end in one sentence on standard error and exit code 1, never in a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CsfinterpError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(csfinterp.__version__, prog_name="csfinterp")
def main() -> None:
    """Interpret cerebrospinal fluid (CSF) panels: structured, explained, cited. Not a diagnosis."""


# --- demo, serve ---


@main.command()
@click.option("--once", is_flag=True, help="Print one interpretation and exit.")
@click.option("--port", type=click.IntRange(1, 65535), help="Wanted port; a free one is taken if it is in use.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready: address, login, tokens.")
def demo(once: bool, port: int | None, as_json: bool) -> None:
    """Start the service on loopback with constructed sample panels, print one interpretation, serve until Ctrl-C.

    The demo keeps its own SQLite file in your data folder (CSFINTERP_DEMO_FOLDER); started again it finds its panels
    and adds none. It makes an account and tokens of its own, new ones at every start; they work on this machine only.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    settings = Settings.load()
    try:
        with demonstration.running(settings, port or settings.port) as running:
            ids = dict(_posted(running, quiet=as_json))
            shown = ids[demonstration.SHOWN]
            click.echo(_demo_line(running, shown) if as_json else _demo_text(running, shown, once))
            if not once:
                running.process.wait()
                raise demonstration.DemoError(f"The server ended. Its log: {running.log}")
    except KeyboardInterrupt:
        click.echo("Demo ended.", err=True)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _posted(running: demonstration.Demo, quiet: bool) -> Iterator[tuple[str, str]]:
    with _progress(hidden=quiet) as progress:
        for sample in progress.track(SAMPLES, description="Posting sample panels"):
            yield sample.name, running.post(sample)


def _demo_line(running: demonstration.Demo, panel_id: str) -> str:
    keys = running.keys
    login = {"user": keys.user, "password": keys.password}
    return json.dumps({"url": running.url, "page": running.page(panel_id), "login": login, "tokens": keys.tokens})


def _demo_text(running: demonstration.Demo, panel_id: str, once: bool) -> str:
    about = f"{len(SAMPLES)} constructed panels are posted (no real patient); this is one of them."
    lines = [running.text(panel_id), about, f"Page:       {running.page(panel_id)}", f"All panels: {running.url}/"]
    lines.append(f"Interface:  {running.url}/docs")
    lines.append(f"Sign in:    {running.keys.user} / {running.keys.password}")
    lines += [f"Token:      {secret} ({role})" for role, secret in running.keys.tokens.items()]
    lines.append("Without --once the demo keeps serving these." if once else "Serving until Ctrl-C.")
    return "\n".join(lines)


@main.command()
@click.option("--bind", metavar="HOST:PORT", help="Address to listen on.  [default: CSFINTERP_BIND or default.yaml]")
@click.option("--workers", type=click.IntRange(1, 256), help="Server processes.  [default: CSFINTERP_WORKERS]")
def serve(bind: str | None, workers: int | None) -> None:
    """Run the service (gunicorn) with the settings of config/ and the environment."""
    chosen = {"CSFINTERP_BIND": bind, "CSFINTERP_WORKERS": workers and str(workers)}
    os.environ.update({name: value for name, value in chosen.items() if value})
    settings = Settings.load()
    # Wrong settings, no accounts, a broken edition, no database: said here, once, in a sentence.
    hint = operations.check_access(settings)
    operations.open_service(settings)
    if hint:
        click.echo(f"Note: {hint}.", err=True)
    click.echo(f"csfinterp {csfinterp.__version__} on http://{settings.bind} (docs: /docs)", err=True)
    command = gunicorn_command(settings, settings.bind, settings.workers)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="csfinterp-metrics-")
    os.execv(command[0], command)


for command in (deliver, held, user, token, audit):
    main.add_command(command)


@main.command("mllp")
@click.option("--bind", metavar="HOST:PORT", help="Address to listen on.  [default: CSFINTERP_MLLP_BIND]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port alone; 0 takes a free one.  [default: 2575]")
def listen(bind: str | None, port: int | None) -> None:
    """Listen for HL7 v2 messages over MLLP; each is acknowledged when it is stored. Ctrl-C or SIGTERM ends in order."""
    if bind:
        os.environ["CSFINTERP_MLLP_BIND"] = bind
    settings = Settings.load()
    mllp.listen(settings, port, lambda line: click.echo(line, err=True))


# --- interpret ---


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(READABLE), help="Input format.  [default: by extension]")
@click.option("--output", type=click.Choice(WRITABLE), default="json", show_default=True)
@click.option("--explain", metavar="FINDING", help="Print why one statement stands there, instead of the answer.")
def interpret(files: tuple[str, ...], format_name: str | None, output: str, explain: str | None) -> None:
    """Interpret panels of FILES (- reads standard input) and store nothing.

    JSON: one document, an array, or JSON lines. HL7 v2: one ORU^R01 or a batch; test messages (MSH-11 T, D) too.
    CSV: one row a panel (wide) or one row a result (long); the guide pull_a_cohort.md names the columns.
    One panel is printed as a readable document, several as JSON lines.
    --explain takes the id or rule number of any statement (pleocytosis, PL03, bacterial_meningitis, B1, PC05, R-L01,
    lm, pan2018, csf_lactate) and prints its rule, values, limits and sources.
    Exit code: 0 all interpreted, 1 some refused (named on standard error), 2 bad usage.
    """
    settings = Settings.load()
    service = operations.stateless_service(settings)
    tell = _teller(service, output, explain)
    refused = Refusals()
    limits = ReadLimits(settings.max_body_bytes, settings.max_observations, settings.max_depth)
    named = ((file, format_name or _format_of(file)) for file in files)
    items = _items(named, limits, refused, service.refusal)
    first = list(itertools.islice(items, 2))
    many = len(first) > 1
    with _progress(hidden=not many or sys.stdout.isatty()) as progress:  # the answers need the screen themselves
        for panels in _chunks(progress.track(itertools.chain(first, items), description="Interpreting")):
            for document in service.interpret_many(panels):
                click.echo(tell(document, many))
    if refused.count:
        click.echo(f"{refused.count} refused, nothing was interpreted for them.", err=True)
        sys.exit(1)


@dataclasses.dataclass
class Refusals:
    """Counts and names the documents that could not be read."""

    count: int = 0

    def add(self, place: str, error: DocumentError) -> None:
        self.count += 1
        if [fault.message for fault in error.faults] == [error.message]:  # said once, with its place
            click.echo(": ".join(filter(None, (place, error.faults[0].pointer, error.message))), err=True)
            return
        click.echo(f"{place}: {error.message}", err=True)
        for fault in error.faults:
            click.echo(f"  {fault.pointer or '(whole document)'}: {fault.message}", err=True)


def _format_of(file: str) -> str:
    """The input format by the file's extension; standard input and unknown extensions: json."""
    return next((name for name in READABLE if Path(file).suffix.lower() in FORMATS[name].extensions), "json")


def _items(
    files: Iterable[tuple[str, str]],
    limits: ReadLimits,
    refused: Refusals,
    refusal: Callable[[Panel], DocumentError | None],
) -> Iterator[Panel]:
    """Panels one by one; a document that cannot be read or holds no CSF test is told and passed over."""
    for file, form in files:
        with click.open_file(file, "rb") as stream:
            data = stream.read()
        for number, found in enumerate(_read(data, form, limits), 1):
            item = found if isinstance(found, DocumentError) else refusal(found) or found
            if isinstance(item, DocumentError):
                refused.add(f"{file}, document {number}", item)
            else:
                yield item


def _read(data: bytes, form: str, limits: ReadLimits) -> Iterator[Panel | DocumentError]:
    chosen = FORMATS[form]
    if chosen.read_many is not None:
        yield from chosen.read_many(data, limits)
        return
    try:
        yield from chosen.read(data, limits) if chosen.read is not None else ()
    except DocumentError as error:
        yield error


def _chunks(panels: Iterable[Panel]) -> Iterator[list[Panel]]:
    remaining = iter(panels)
    while chunk := list(itertools.islice(remaining, CHUNK)):
        yield chunk


def _teller(service: Service, output: str, explain: str | None) -> Callable[[dict[str, object], bool], str]:
    """How an answer is printed. An id to explain that the edition does not know is bad usage."""
    if explain is None:
        return lambda document, many: _printed(document, output, many)
    edition = service.core().edition
    if not report_trace.knows(edition, explain):
        near = report_trace.near(edition, explain)
        hint = f"Ids like it: {', '.join(near)}." if near else "GET /api/v1/editions lists all."
        raise click.UsageError(f"--explain: edition {edition.id} has no statement {explain!r}. {hint}")
    return lambda document, many: _trace(document, explain, edition, many)


def _trace(document: dict[str, object], identifier: str, edition: Edition, many: bool) -> str:
    specimen = document.get("specimen")
    head = f"Specimen {specimen.get('id')}\n" if many and isinstance(specimen, dict) else ""
    return head + report_trace.explain(edition, document, identifier)


def _printed(document: dict[str, object], output: str, many: bool) -> str:
    write = FORMATS[output].write
    if output == "json" or write is None:
        return json.dumps(document, ensure_ascii=False, indent=None if many else 2)
    written = write(document)
    return written if isinstance(written, str) else written.decode()


main.add_command(cohort)
main.add_command(export)
main.add_command(reinterpret)
main.add_command(report)


# --- edition, db ---


@main.group()
def edition() -> None:
    """Knowledge editions: check, copy, compare and sign them."""


@edition.command("check")
@click.argument("name", required=False)
def check(name: str | None) -> None:
    """Check edition NAME (an id or a folder; default: the edition in force); every slip with file and line.

    Files that cannot be read as YAML come first, and alone; then the form of the entries; then what the files say
    about each other. So mend what is listed and check again until no slip is found.
    """
    settings = Settings.load()
    slips = operations.check_edition(settings, name or settings.edition)
    for slip in slips:
        click.echo(str(slip))
    if slips:
        counted = "1 slip" if len(slips) == 1 else f"{len(slips)} slips"
        raise click.ClickException(f"{counted} in edition {name or settings.edition}")
    click.echo(f"Edition {name or settings.edition}: no slip found.")


@edition.command("new")
@click.argument("new_id")
@click.option("--from", "from_id", required=True, help="Id of the edition to copy.")
def new(new_id: str, from_id: str) -> None:
    """Copy an edition as a draft under NEW_ID."""
    folder = operations.new_edition(Settings.load(), new_id, from_id)
    click.echo(f"Draft {new_id}: {folder}")
    click.echo(f"Next: edit it, csfinterp edition diff {from_id} {new_id}, csfinterp edition release {new_id}")


@edition.command("diff")
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> None:
    """Show what changed between two editions, with the impacted analytes and profiles."""
    lines = operations.diff_editions(Settings.load(), before, after)
    click.echo("\n".join(lines) if lines else "No difference.")


@edition.command("release")
@click.argument("name")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Date of release.  [default: today]")
def release(name: str, day: Any) -> None:
    """Check and sign a draft: it gets its seal and can no longer be changed."""
    digest = operations.release_edition(Settings.load(), name, day.date() if day else date.today())
    click.echo(f"Edition {name} is released: {digest}")


@main.group()
def db() -> None:
    """The database (CSFINTERP_DATABASE_URL)."""


@db.command("upgrade")
def upgrade() -> None:
    """Bring the tables to the newest revision."""
    settings = Settings.load()
    operations.upgrade_database(settings)
    click.echo(f"The database is at revision {operations.database_revisions(settings)[0]}.")


@db.command("current")
def current() -> None:
    """Show the revision of the database and the newest one."""
    now, newest = operations.database_revisions(Settings.load())
    click.echo(f"{now or 'no tables yet'} (newest: {newest})")


@db.command("copy")
@click.argument("source")
@click.argument("target")
def copy(source: str, target: str) -> None:
    """Copy the store at the address SOURCE into the empty database TARGET, for example from SQLite to PostgreSQL.

    All or nothing; every table is counted and the audit verified. Stop serve, mllp and deliver first.
    """
    acting.become(acting.operator(), "db copy")
    for table, count in operations.copy_database(source, target).items():
        click.echo(f"{table:20} {count}")
    click.echo("Copied and verified. Now set CSFINTERP_DATABASE_URL to the new address.")


def _progress(hidden: bool) -> Progress:
    """A progress bar on standard error, only where a person looks at it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal)

"""`csfinterp user`, `token`, `audit`: accounts, API tokens, and what was done."""

from __future__ import annotations

import json
import sys

import click

from csfinterp import acting, operations
from csfinterp.accounts import Role
from csfinterp.settings import Settings

ROLES = tuple(role.value for role in Role)
_ROLES = click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="May repeat.")


def _service(what: str) -> operations.Trust:
    acting.become(acting.operator(), what)
    return operations.trust(Settings.load())


def _password(from_input: bool) -> str:
    """From the first line of standard input, else asked twice without showing it; never an argument of a command."""
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def user() -> None:
    """Accounts: who may sign in, and as what."""


@user.command("add")
@click.argument("name")
@_ROLES
@_STDIN
@click.option("--no-password", is_flag=True, help="A service: it holds tokens and cannot sign in.")
def add_user(name: str, roles: tuple[str, ...], password_stdin: bool, no_password: bool) -> None:
    """Make an account NAME with one or more roles; its password is asked for."""
    accounts = _service("user add").accounts
    accounts.add(name, roles, None if no_password else _password(password_stdin))
    click.echo(f"Account {name}: {', '.join(roles)}.")


@user.command("list")
def list_users() -> None:
    """Show all accounts."""
    for one in _service("user list").accounts.listed():
        state = "disabled" if one.disabled_at else "demo" if one.demo else "active"
        kind = "password" if one.password_hash else "tokens only"
        click.echo(f"{one.name:24} {state:9} {kind:12} {one.roles}")


@user.command("password")
@click.argument("name")
@_STDIN
def set_password(name: str, password_stdin: bool) -> None:
    """Give an account a new password; its sessions end and a lock is taken off."""
    accounts = _service("user password").accounts
    accounts.set_password(name, _password(password_stdin))
    click.echo(f"Account {name}: new password, every session ended.")


@user.command("roles")
@click.argument("name")
@_ROLES
def set_roles(name: str, roles: tuple[str, ...]) -> None:
    """Give an account these roles instead of those it has; its tokens keep at most these."""
    _service("user roles").accounts.set_roles(name, roles)
    click.echo(f"Account {name}: {', '.join(roles)}.")


@user.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """End an account: its password, sessions and tokens stop working at once. It stays in the audit."""
    _service("user disable").accounts.disable(name)
    click.echo(f"Account {name} is disabled.")


@click.group()
def token() -> None:
    """API tokens: Authorization: Bearer … of programs."""


@token.command("add")
@click.argument("name")
@_ROLES
@click.option("--label", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days until it expires.")
def add_token(name: str, roles: tuple[str, ...], label: str, days: int) -> None:
    """Make a token for the account NAME and print it: it is shown this once. No --role: all roles of the account."""
    made = _service("token add").accounts.add_token(name, roles, label, days)
    click.echo(made.secret)
    click.echo(f"Token {made.id} of {name}, until {made.expires_at}. It is not shown again.", err=True)


@token.command("list")
def list_tokens() -> None:
    """Show all tokens, without their secrets."""
    for one in _service("token list").accounts.tokens():
        state = f"revoked {one.revoked_at}" if one.revoked_at else f"until {one.expires_at}"
        click.echo(f"{one.id}  {one.account:24} {state:36} {one.roles}  {one.label}".rstrip())


@token.command("revoke")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
def revoke(ids: tuple[str, ...]) -> None:
    """End tokens at once."""
    count = _service("token revoke").accounts.revoke(ids)
    click.echo(f"{count} revoked.")
    if count < len(set(ids)):
        raise click.ClickException("Some were not there or revoked before; csfinterp token list shows all.")


@click.group()
def audit() -> None:
    """What was done: who, what, when, from where."""


@audit.command("verify")
@click.option("--known", metavar="ROW:HASH", multiple=True, help="A head that was kept elsewhere; may repeat.")
def verify(known: tuple[str, ...]) -> None:
    """Read the whole chain; a row that was changed, removed or added is named, and the exit code is 1."""
    heads = [_head(text) for text in known]
    trail = _service("audit verify").audit
    slips = trail.verify(heads)
    for slip in slips:
        click.echo(slip)
    if slips:
        raise click.ClickException(f"The audit was tampered with or is damaged: {len(slips)} findings.")
    click.echo(f"The audit is whole: {trail.head()[0]} rows.")


@audit.command("head")
def head() -> None:
    """Print ROW:HASH of the last row. Keep it elsewhere; `verify --known` proves that the row is still there."""
    row, sealed = _service("audit head").audit.head()
    click.echo(f"{row}:{sealed}")


@audit.command("export")
@click.option("--after", type=click.IntRange(0), default=0, help="Only rows behind this number.")
def export(after: int) -> None:
    """Print the rows as JSON lines, oldest first. The export is audited, too."""
    trail = _service("audit export").audit
    trail.note([operations.exported(after)])
    for row in trail.rows(after):
        click.echo(json.dumps(row, separators=(",", ":")))


def _head(text: str) -> tuple[int, str]:
    number, _, sealed = text.partition(":")
    if not (number.isascii() and number.isdecimal() and len(sealed) == 64):
        raise click.BadParameter("Give what csfinterp audit head printed, for example 12:9f86…", param_hint="--known")
    return int(number), sealed

"""Accounts, tokens and the audit as an administrator types them; and a service that refuses to be open."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from csfinterp.cli import main

WORDS = "correct horse battery staple"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CSFINTERP_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("CSFINTERP_ACCESS", "accounts")

    def command(*words: str, data: str | None = None) -> Result:
        return CliRunner().invoke(main, list(words), input=data)

    return command


def test_an_account_its_token_and_their_end(run) -> None:
    assert run("user", "add", "lis-a", "--role", "laboratory", "--no-password").exit_code == 0
    assert "already" in run("user", "add", "lis-a", "--role", "laboratory", "--no-password").output
    made = run("token", "add", "lis-a", "--label", "night shift")
    secret = made.stdout.strip()
    assert secret.startswith("csf_")
    listed = run("token", "list").stdout
    assert secret.split("_")[1] in listed
    assert secret.split("_")[2] not in listed
    assert run("token", "revoke", secret.split("_")[1]).exit_code == 0
    assert "revoked" in run("token", "list").stdout
    assert run("token", "revoke", secret.split("_")[1]).exit_code == 1
    assert "no role steward" in run("token", "add", "lis-a", "--role", "steward").output
    assert run("user", "disable", "lis-a").exit_code == 0
    assert "disabled" in run("user", "list").stdout


def test_a_password_is_read_but_never_an_argument(run) -> None:
    added = run("user", "add", "anna", "--role", "clinician", "--password-stdin", data=f"{WORDS}\n")
    assert added.exit_code == 0, added.output
    assert "12 to 1000" in run("user", "add", "ben", "--role", "clinician", "--password-stdin", data="short\n").output
    asked = run("user", "password", "anna", data=f"{WORDS} x\n{WORDS} x\n")
    assert asked.exit_code == 0
    assert WORDS not in asked.output
    assert run("user", "add", "cleo", "--role", "king").exit_code == 2
    assert "one or more of the roles" in run("user", "add", "cleo", "--no-password").output


def test_the_audit_names_who_did_it_and_finds_what_was_changed(run, tmp_path: Path) -> None:
    run("user", "add", "lis-a", "--role", "laboratory", "--no-password")
    for _ in range(3):
        run("token", "add", "lis-a")
    head = run("audit", "head").stdout.strip()
    assert run("audit", "verify", "--known", head).exit_code == 0
    rows = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [row["what"] for row in rows] == ["user add", *["token add"] * 3, "audit export"]
    assert all(row["who"].startswith("cli:") for row in rows)
    with sqlite3.connect(tmp_path / "csfinterp.sqlite") as connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("UPDATE audit SET who = 'nobody' WHERE seq = 2")
        connection.execute("DROP TRIGGER audit_no_UPDATE")
        connection.execute("UPDATE audit SET who = 'nobody' WHERE seq = 2")
    found = run("audit", "verify")
    assert found.exit_code == 1
    assert "Row 2" in found.output
    assert "ROW" not in run("audit", "verify", "--known", "x").stdout


def serve(run, bind: str, monkeypatch: pytest.MonkeyPatch, access: str = "accounts") -> Result:
    """`csfinterp serve` up to the moment when gunicorn would take over."""
    monkeypatch.setenv("CSFINTERP_ACCESS", access)
    monkeypatch.setenv("CSFINTERP_ALLOW_DRAFT", "true")
    monkeypatch.setenv("CSFINTERP_BIND", bind)
    monkeypatch.setattr(os, "execv", lambda _, command: print(*command))
    return run("serve")


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1", "csf.example.org"])
def test_serve_is_never_open_to_a_network_without_accounts(run, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for access, reason in (("open", "would show every patient"), ("accounts", "no account yet")):
        done = serve(run, f"{host}:8000", monkeypatch, access)
        assert done.exit_code == 1
        assert reason in done.stderr
        assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)


def test_serve_refuses_demo_accounts_and_starts_with_real_ones(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("user", "add", "anna", "--role", "clinician", "--password-stdin", data=f"{WORDS}\n")
    with sqlite3.connect(tmp_path / "csfinterp.sqlite") as connection:
        connection.execute("UPDATE accounts SET demo = 1")
    assert "demo accounts" in serve(run, "0.0.0.0:8000", monkeypatch).stderr
    with sqlite3.connect(tmp_path / "csfinterp.sqlite") as connection:
        connection.execute("UPDATE accounts SET demo = 0")
    assert "--bind 0.0.0.0:8000" in serve(run, "0.0.0.0:8000", monkeypatch).stdout
    assert "demo" not in serve(run, "127.0.0.1:8000", monkeypatch).stderr
    run("user", "disable", "anna")
    assert "no account yet" in serve(run, "0.0.0.0:8000", monkeypatch).stderr
    assert "there are no accounts yet" in serve(run, "127.0.0.1:8000", monkeypatch).stderr

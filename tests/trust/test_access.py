"""Default deny: every route and method with every role and with none; the matrix is the table, and it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from csfinterp.accounts import Role
from csfinterp.web.access import ACCESS, PUBLIC
from tests.making import Document
from tests.making_accounts import PASSWORD, Trusted

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSED = (401, 403)


def addresses(app: Flask, panel_id: str) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, an address of it) for every route and method."""
    known = {
        "panel_id": panel_id, "report_id": panel_id, "observation_id": f"{panel_id}-csf_protein", "version": "1",
        "edition_id": "2026.1", "name": "not-found", "filename": "style.css", "kind": "DiagnosticReport",
        "service": "csf-panels",
    }  # fmt: skip
    for rule in app.url_map.iter_rules():
        values = {name: known.get(name, "1") for name in rule.arguments}
        with app.test_request_context():
            _, address = rule.build(values, append_unknown=False) or ("", rule.rule)
        for method in METHODS:
            if method in (rule.methods or ()):
                yield rule.endpoint, method, address


def test_every_route_stands_in_the_table(trust: Trusted) -> None:
    routes = {(endpoint, method) for endpoint, method, _ in addresses(trust.app, "p")}
    assert routes - set(ACCESS) == set(), "new routes: say in csfinterp/web/access.py who may use them"
    assert set(ACCESS) - routes == set(), "the table names routes that are gone"


def test_every_route_with_every_role_and_with_none(trust: Trusted, stored: Document) -> None:
    wrong, lines = [], [f"{'':44}{''.join(f'{role.value[:6]:8}' for role in Role)}none"]
    for endpoint, method, address in sorted(addresses(trust.app, str(stored["panel_id"]))):
        roles, cells = ACCESS.get((endpoint, method), frozenset()), []
        for role in (*Role, None):
            client = trust.client(role.value if role else None)
            status = client.open(address, method=method, headers={"Accept": "application/json"}).status_code
            expected = roles is PUBLIC or (role is not None and role in roles)
            refused = status in REFUSED and endpoint != "login.sign_in"  # there 401 is a wrong password
            if refused == expected:
                wrong.append((method, address, role, status))
            cells.append("-" if refused else "yes")
            if role is None and not expected:
                assert status == 401, (method, address)
        lines.append(f"{method:5}{endpoint:39}{''.join(f'{cell:8}' for cell in cells)}")
    print("\n" + "\n".join(lines))
    assert wrong == []


def test_a_route_that_is_not_in_the_table_is_refused_to_everybody(trust: Trusted) -> None:
    assert trust.client("administrator").get("/fhir/r4/metadata").status_code == 200
    app = trust.app
    before = dict(app.view_functions)
    app.view_functions["brand.new"] = lambda: "secret"
    app._got_first_request = False
    app.url_map.add(app.url_rule_class("/brand-new", endpoint="brand.new", methods=["GET"]))
    try:
        for role in Role:
            assert trust.client(role.value).get("/brand-new").status_code == 403
        assert trust.client().get("/brand-new").status_code == 401
    finally:
        app.view_functions.clear()
        app.view_functions.update(before)


def test_a_refusal_says_what_is_missing(trust: Trusted, stored: Document) -> None:
    answer = trust.client("researcher").get(f"/api/v1/panels/{stored['panel_id']}")
    assert (answer.status_code, answer.get_json()["type"]) == (403, "/problems/not-allowed")
    assert "clinician or laboratory" in answer.get_json()["detail"]
    nobody = trust.client().get(f"/api/v1/panels/{stored['panel_id']}")
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="csfinterp"'
    assert trust.client().get("/fhir/r4/DiagnosticReport/x").get_json()["resourceType"] == "OperationOutcome"


def test_nobody_learns_whether_a_panel_exists(trust: Trusted, stored: Document) -> None:
    for role in ("researcher", "steward", None):
        client = trust.client(role)
        there, not_there = (client.get(f"/api/v1/panels/{name}") for name in (stored["panel_id"], "0" * 32))
        assert there.status_code == not_there.status_code
        assert there.get_json()["detail"] == not_there.get_json()["detail"]


# --- tokens ---


def test_a_token_ends_by_time_by_hand_and_with_its_account(trust: Trusted) -> None:
    accounts = trust.service.accounts
    accounts.add("lis-a", ["laboratory"], None)
    made = accounts.add_token("lis-a", [], "LIS", 30)

    def asks(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return trust.app.test_client().get("/api/v1/panels", headers=headers).status_code

    assert asks(made.secret) == 200
    assert asks(made.secret[:-1] + ("A" if made.secret[-1] != "A" else "B")) == 401
    assert accounts.revoke([made.id]) == 1
    assert accounts.revoke([made.id]) == 0
    assert asks(made.secret) == 401
    over = accounts.add_token("lis-a", [], "LIS", 0)
    assert asks(over.secret) == 401
    last = accounts.add_token("lis-a", [], "LIS", 30)
    assert asks(last.secret) == 200
    accounts.disable("lis-a")
    assert asks(last.secret) == 401


def test_a_token_has_no_more_than_it_was_given_and_the_account_has(trust: Trusted) -> None:
    accounts = trust.service.accounts
    accounts.add("both", ["laboratory", "clinician"], None)
    narrow = accounts.add_token("both", ["clinician"], "", 1)
    client = trust.app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {narrow.secret}"
    assert client.get("/api/v1/panels").status_code == 200
    assert client.post("/api/v1/panels", json={}).status_code == 403
    accounts.set_roles("both", ["researcher"])
    assert client.get("/api/v1/panels").status_code == 403


def test_secrets_are_not_in_the_database(trust: Trusted) -> None:
    database = Path(trust.settings.database_url.removeprefix("sqlite:///"))
    files = [path.read_bytes() for path in database.parent.glob(f"{database.name}*")]
    assert any(b"laboratory" in data for data in files)
    for secret in (PASSWORD, *(token.rpartition("_")[2] for token in trust.tokens.values())):
        assert not any(secret.encode() in data for data in files)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic YTpi", "Bearer csf_000000000000_" + "a" * 43, "é" * 900]
)
def test_a_header_that_is_no_token_is_refused(trust: Trusted, header: str) -> None:
    answer = trust.app.test_client().get("/api/v1/panels", headers={"Authorization": header.encode()})
    assert answer.status_code == 401

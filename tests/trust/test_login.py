"""Signing in with a browser: lockout, limits, fixation, forged forms, redirects, and sessions that really end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from csfinterp.accounts import AccountError, Accounts
from csfinterp.store import open_store
from csfinterp.web import create_app
from tests.making import Document
from tests.making_accounts import PASSWORD, Trusted, csrf_token, sign_in


def test_a_page_leads_to_the_login_and_back_to_itself(trust: Trusted, stored: Document) -> None:
    browser, address = trust.browser(), f"/panels/{stored['panel_id']}"
    answer = browser.get(f"{address}?version=1")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/login?next={address}?version%3D1"
    token = csrf_token(browser, answer.headers["Location"])
    form = {"csrf_token": token, "name": " Clinician ", "password": PASSWORD, "next": address}
    answer = browser.post("/login", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    page = browser.get(address).text
    assert stored["specimen"]["id"] in page
    assert "clinician</a>" in page


def test_a_search_leaves_no_patient_in_the_address_of_the_login(trust: Trusted) -> None:
    answer = trust.browser().get("/?patient=MRN-4711")
    assert "MRN-4711" not in answer.headers["Location"]


def test_wrong_name_and_wrong_password_look_the_same(fresh: Trusted) -> None:
    answers = [sign_in(fresh.browser(), name, "wrong password here") for name in ("clinician", "nobody", "a b", "")]
    assert {answer.status_code for answer in answers} == {401}
    texts = [answer.text.partition('role="alert"')[2].partition("</p>")[0] for answer in answers]
    assert len(set(texts)) == 1
    assert "not right" in texts[0]


def test_five_wrong_passwords_lock_the_account_for_all_workers_until_the_time_is_over(fresh: Trusted) -> None:
    second_worker = create_app(fresh.settings, fresh.service)
    for _ in range(5):
        assert sign_in(fresh.browser(), "clinician", "wrong password here").status_code == 401
    client = second_worker.test_client()
    assert sign_in(client, "clinician", PASSWORD).status_code == 401
    assert sign_in(client, "laboratory", PASSWORD).status_code == 303
    later = datetime.now(UTC) + timedelta(minutes=fresh.settings.login_lock_minutes, seconds=1)
    store = open_store(fresh.settings.database_url)
    assert Accounts(fresh.settings, store, clock=lambda: later).sign_in("clinician", PASSWORD) is not None
    store.close()
    assert sign_in(fresh.browser(), "clinician", "wrong password here").status_code == 401  # counted from one again
    assert sign_in(fresh.browser(), "clinician", PASSWORD).status_code == 303


def test_parallel_guesses_all_count(fresh: Trusted) -> None:
    accounts = fresh.service.accounts
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: accounts.sign_in("clinician", "wrong password here"), range(8)))
    assert accounts.sign_in("clinician", PASSWORD) is None


def test_one_address_has_twenty_tries_a_minute_over_all_workers(fresh: Trusted) -> None:
    apps = [fresh.app, create_app(fresh.settings, fresh.service)]
    statuses = []
    for number in range(21):
        client = apps[number % 2].test_client()
        statuses.append(sign_in(client, f"nobody-{number}", "wrong password here").status_code)
    assert statuses == [401] * 20 + [429]


def test_wrong_tokens_are_limited_and_a_right_one_never(fresh: Trusted) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    client = fresh.app.test_client()
    statuses = [client.get("/api/v1/panels", headers=wrong).status_code for _ in range(31)]
    assert statuses == [401] * 30 + [429]
    assert fresh.client("clinician").get("/api/v1/panels").status_code == 200


def test_the_session_of_before_the_login_is_not_the_one_after(fresh: Trusted) -> None:
    attacker = fresh.browser()
    csrf_token(attacker)
    planted = attacker.get_cookie("csfinterp")
    assert planted is not None
    victim = fresh.browser()
    victim.set_cookie("csfinterp", planted.value)
    assert sign_in(victim, "clinician", PASSWORD).status_code == 303
    assert victim.get("/account").status_code == 200
    assert attacker.get("/account").status_code == 303
    first = victim.get_cookie("csfinterp")
    assert sign_in(victim, "clinician", PASSWORD).status_code in (303, 400)
    assert first is not None and first.value != planted.value


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(fresh: Trusted) -> None:
    browser = fresh.browser("clinician")
    kept = browser.get_cookie("csfinterp")
    assert kept is not None
    thief = fresh.browser()
    thief.set_cookie("csfinterp", kept.value)
    assert thief.get("/account").status_code == 200
    assert browser.post("/logout", data={"csrf_token": csrf_token(browser, "/account")}).status_code == 303
    thief.set_cookie("csfinterp", kept.value)
    assert thief.get("/account").status_code == 303


def test_a_new_password_ends_all_other_sessions(fresh: Trusted) -> None:
    other, browser = fresh.browser("clinician"), fresh.browser("clinician")
    form = {"old": PASSWORD, "new": "a quite different pass phrase", "again": "a quite different pass phrase"}
    token = csrf_token(browser, "/account")
    assert browser.post("/account/password", data={**form, "csrf_token": token, "old": "not it"}).status_code == 400
    assert browser.post("/account/password", data={**form, "csrf_token": token, "again": "other"}).status_code == 400
    short = {**form, "csrf_token": token, "new": "short", "again": "short"}
    assert "12 to 1000" in browser.post("/account/password", data=short).text
    assert browser.post("/account/password", data={**form, "csrf_token": token}).status_code == 200
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert sign_in(fresh.browser(), "clinician", PASSWORD).status_code == 401


def test_a_session_ends_when_idle_after_hours_and_with_its_account(fresh: Trusted) -> None:
    store = open_store(fresh.settings.database_url)
    accounts, now = fresh.service.accounts, datetime.now(UTC)
    secret = accounts.sign_in("clinician", PASSWORD)
    assert secret is not None

    def at(moment: datetime) -> Accounts:
        return Accounts(fresh.settings, store, clock=lambda: moment)

    assert at(now + timedelta(minutes=29)).by_session(secret) is not None  # and it is used at that time
    assert at(now + timedelta(minutes=58)).by_session(secret) is not None
    assert at(now + timedelta(minutes=89)).by_session(secret) is None
    used = accounts.sign_in("clinician", PASSWORD)
    assert used is not None
    for hours in range(1, 32):
        found = at(now + timedelta(minutes=25 * hours)).by_session(used)
        assert (found is not None) == (25 * hours < 12 * 60)
    last = accounts.sign_in("clinician", PASSWORD)
    accounts.disable("clinician")
    assert last is not None
    assert accounts.by_session(last) is None
    assert accounts.sign_in("clinician", PASSWORD) is None


@pytest.mark.parametrize(
    ("method", "address"), [("POST", "/login"), ("POST", "/logout"), ("POST", "/account/password")]
)
def test_a_forged_form_changes_nothing(trust: Trusted, method: str, address: str) -> None:
    browser = trust.browser("clinician")
    for data in ({}, {"csrf_token": "forged"}):
        answer = browser.open(address, method=method, data={"name": "clinician", "password": PASSWORD, **data})
        assert answer.status_code == 400
        assert "no longer valid" in answer.text
    assert browser.get("/account").status_code == 200


def test_a_session_alone_cannot_use_the_interfaces_that_change_something(trust: Trusted, stored: Document) -> None:
    """A page of somebody else could send these with the cookie; a form token of ours is needed."""
    browser = trust.browser("clinician")
    address = f"/api/v1/panels/{stored['panel_id']}/context"
    headers = {"If-Match": "*", "Content-Type": "application/json"}
    assert browser.put(address, data="{}", headers=headers).status_code == 400
    token = csrf_token(browser, "/account")
    answer = browser.put(address, data='{"tumor": "solid"}', headers={**headers, "X-CSRFToken": token})
    assert answer.status_code == 200


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_in_the_clear(fresh: Trusted) -> None:
    for base, secure in (("http://localhost", False), ("https://localhost", True)):
        client = fresh.app.test_client()
        cookie = client.get("/login", base_url=base).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is secure


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/%0d%0aX: y\r\nX: y",
     "javascript:alert(1)", "///evil.example", "/\tevil", " //evil.example"],
)  # fmt: skip
def test_the_login_leads_nowhere_else(fresh: Trusted, target: str) -> None:
    browser = fresh.browser()
    answer = sign_in(browser, "clinician", PASSWORD, next=target)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "evil" not in fresh.browser().get("/login", query_string={"next": target}).text


def test_somebody_without_pages_lands_on_the_own_account(fresh: Trusted) -> None:
    for name, landing in (("steward", "/editions"), ("monitor", "/account")):
        assert sign_in(fresh.browser(), name, PASSWORD).headers["Location"] == landing
    assert fresh.browser("steward").get("/").status_code == 403


def test_a_demo_account_works_on_this_machine_only(fresh: Trusted) -> None:
    fresh.service.accounts.add("demo", ["clinician"], None, demo=True)
    token = fresh.service.accounts.add_token("demo", [], "", 1).secret
    client = fresh.app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/panels", headers=headers).status_code == 200
    away = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/api/v1/panels", headers=headers, environ_base=away).status_code == 401


def test_open_access_answers_this_machine_only(trust: Trusted) -> None:
    settings = replace(trust.settings, access="open")
    client = create_app(settings, trust.service).test_client()
    assert client.get("/api/v1/panels").status_code == 200
    answer = client.get("/api/v1/panels", environ_base={"REMOTE_ADDR": "10.1.2.3"})
    assert answer.status_code == 403
    assert "only this machine" in answer.get_json()["detail"]


@pytest.mark.parametrize("password", ["short", "x" * 1001, "clinician-name", ""])
def test_a_password_that_is_too_easy_is_refused_with_a_sentence(fresh: Trusted, password: str) -> None:
    with pytest.raises(AccountError, match="12 to 1000"):
        fresh.service.accounts.add("clinician-name", ["clinician"], password)


@pytest.mark.parametrize("name", ["", "A B", "ä", "x" * 65, "a/b", "-a", "a\n"])
def test_a_name_that_could_be_read_otherwise_is_refused(fresh: Trusted, name: str) -> None:
    with pytest.raises(AccountError):
        fresh.service.accounts.add(name, ["clinician"], PASSWORD)


def test_the_key_of_sessions_is_made_once_and_is_the_owners(trust: Trusted, tmp_path: Path) -> None:
    chosen = replace(trust.settings, secret_key=None, data_folder=tmp_path / "data")
    keys = {create_app(chosen, trust.service).secret_key for _ in range(2)}
    assert len(keys) == 1
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").glob("secret_key*")] == ["secret_key"]

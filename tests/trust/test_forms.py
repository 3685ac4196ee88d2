"""The forms of the pages with accounts: who wrote a call-back down is kept, roles see what they may do, nobody else."""

from __future__ import annotations

from tests.making import sample_panel
from tests.making_accounts import Trusted
from tests.web.forms import send, text_of


def test_a_call_back_is_kept_with_the_account_that_wrote_it(trust: Trusted) -> None:
    stored = trust.client("laboratory").post("/api/v1/panels", json=sample_panel("bacterial")).get_json()
    address = f"/panels/{stored['panel_id']}/calls"
    browser = trust.browser("laboratory")
    assert (
        'name="by" type="text" maxlength="200" required autocomplete="name" value="laboratory"'
        in browser.get(address).text
    )
    keys = ["|".join((call["analyte"], call["rule"], call["source"])) for call in stored["critical"]]
    form = {"call": keys, "told": "Dr. Example", "by": "A. Sample", "when": "now", "read_back": "yes"}
    assert send(browser, address, form).status_code == 303
    noted = trust.service._store.acknowledgements(stored["panel_id"], 1)
    assert {(one.by, one.recorded_by) for one in noted} == {("A. Sample", "laboratory")}


def test_roles_see_only_what_they_may_do(trust: Trusted) -> None:
    stored = trust.client("laboratory").post("/api/v1/panels", json=sample_panel("bacterial")).get_json()
    address, link = f"/panels/{stored['panel_id']}", "Change the clinical context"
    assert link in trust.browser("clinician").get(address).text
    assert link not in trust.browser("laboratory").get(address).text
    assert trust.browser("laboratory").get(f"{address}/context").status_code == 403
    for place in ("", "/calls", "/context", "/patient", "/versions"):
        assert trust.browser("researcher").get(address + place).status_code == 403, place
        assert trust.browser().get(address + place).status_code == 303, place


def test_nobody_learns_of_open_calls_without_an_account(trust: Trusted) -> None:
    trust.client("laboratory").post("/api/v1/panels", json=sample_panel("bacterial"))
    assert "open in" in text_of(trust.browser("clinician").get("/help").text)
    for address in ("/help", "/login", "/no-such-page"):
        assert "open in" not in text_of(trust.browser().get(address).text)
    assert "open in" not in text_of(trust.browser("researcher").get("/help").text)

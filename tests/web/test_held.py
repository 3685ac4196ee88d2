"""/api/v1/held as an administrator uses it: what waits, what it met, and the decision."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.web.conftest import PanelMaker


def held(client: FlaskClient, panel: PanelMaker) -> dict[str, Any]:
    """A message that is held because its specimen belongs to another patient."""
    document = panel()
    assert client.post("/api/v1/panels", json=document).status_code == 201
    document["patient"]["id"] += "-other"
    document["observations"][0]["value"] = 7
    document["source"].pop("message_id", None)
    assert client.post("/api/v1/panels", json=document).status_code == 409
    page = client.get("/api/v1/held?state=waiting&limit=500").get_json()
    return next(one for one in page["items"] if one["specimen_id"] == document["specimen"]["id"])


def test_what_waits_is_listed_without_a_patient_and_shown_whole(client: FlaskClient, panel: PanelMaker) -> None:
    listed = held(client, panel)
    assert (listed["why"], listed["state"]) == ("other_patient", "waiting")
    assert "patient" not in str(listed["met"])
    shown = client.get(f"/api/v1/held/{listed['id']}").get_json()
    assert shown["document"]["patient"]["id"] == shown["stored"]["patient_id"] + "-other"


def test_a_decision_is_named_and_made_once(client: FlaskClient, panel: PanelMaker) -> None:
    listed = held(client, panel)
    address = f"/api/v1/held/{listed['id']}"
    missing = client.post(f"{address}/release", json={"by": "Dr. Example", "join": True})
    assert (missing.status_code, missing.get_json()["errors"][0]["pointer"]) == (422, "/note")
    unsaid = client.post(f"{address}/release", json={"by": "Dr. Example", "note": "why"})
    assert (unsaid.status_code, unsaid.get_json()["errors"][0]["pointer"]) == (422, "/join")
    done = client.post(f"{address}/release", json={"by": "Dr. Example", "note": "one patient", "join": True})
    assert done.get_json() == {"panel_id": listed["met"]["panel_id"], "version": 2}
    assert client.get(address).get_json()["decided_by"].startswith("Dr. Example (")
    again = client.post(f"{address}/discard", json={"by": "Dr. Example", "note": "why"})
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/held-decided")


def test_pages_follow_one_another(client: FlaskClient, panel: PanelMaker) -> None:
    for _ in range(3):
        held(client, panel)
    found, after = [], 0
    while after is not None:
        page = client.get("/api/v1/held", query_string={"limit": 1, **({"after": after} if after else {})}).get_json()
        found += [one["id"] for one in page["items"]]
        after = page["after"]
    assert found == sorted(set(found)) and len(found) >= 3


def test_an_unknown_number_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/v1/held/2147483646").status_code == 404
    assert client.get("/api/v1/held/99999999999999999999").status_code == 404

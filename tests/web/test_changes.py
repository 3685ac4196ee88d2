"""What a new version changed: as data, in the API, in the report; a withdrawn critical call is never overlooked."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from csfinterp.changes import change, short
from csfinterp.formats import report_changes
from tests.conftest import Interpret
from tests.making import Document, panel, quantity, word

CELLS, LACTATE = quantity("csf_leukocytes", 21, "/uL"), quantity("csf_lactate", 3.0, "mmol/L")
PNEUMO = word("csf_gram_stain", "positive", organism="Streptococcus pneumoniae", organism_class="bacterial")


def between(interpret: Interpret, before: Document, after: Document) -> dict[str, Any]:
    return change({**interpret(before), "version": 1}, {**interpret(after), "version": 2})


def kinds(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["kind"], row["analyte"]) for row in found["results"]]


def test_the_same_panel_differs_in_nothing(interpret: Interpret) -> None:
    found = between(interpret, panel(CELLS, LACTATE), panel(CELLS, LACTATE))
    nothing = {
        "from": 1, "to": 2, "status": None, "results": [], "findings": [], "lm": None, "hematologic_cns": None,
        "leukemia_cns": None, "patterns": [], "critical": {"new": [], "changed": [], "withdrawn": []},
        "headline": None, "context": [], "edition": None,
    }  # fmt: skip
    assert found == nothing
    assert set(short(found).values()) == {0, 1}


def test_results_are_added_removed_and_changed(interpret: Interpret) -> None:
    before = panel(CELLS, LACTATE, quantity("csf_protein", 300, "mg/L"))
    after = panel(quantity("csf_leukocytes", 22, "/uL"), LACTATE, quantity("csf_chloride", 120, "mmol/L"))
    found = between(interpret, before, after)
    assert kinds(found) == [("value", "csf_leukocytes"), ("added", "csf_chloride"), ("removed", "csf_protein")]
    first = found["results"][0]
    assert (first["before"]["text"], first["after"]["text"], first["after"]["flag"]) == ("21 /uL", "22 /uL", "H")


def test_a_flag_can_change_without_the_value(interpret: Interpret) -> None:
    """The same protein in a patient of another age is judged by another row."""
    protein = quantity("csf_protein", 480, "mg/L")
    found = between(interpret, panel(protein, age="1 d"), panel(protein, age=None))
    assert ("flag", "csf_protein") in kinds(found)


def test_organisms_of_one_test_are_compared_one_by_one(interpret: Interpret) -> None:
    other = word("csf_culture", "positive", organism="Listeria monocytogenes", organism_class="bacterial")
    same = word("csf_culture", "positive", organism="Escherichia coli", organism_class="bacterial")
    found = between(interpret, panel(other, same), panel(same))
    assert [(row["kind"], row["before"]["organism"]) for row in found["results"]] == [
        ("removed", "Listeria monocytogenes")
    ]


def test_what_follows_from_the_results_is_compared_too(interpret: Interpret) -> None:
    context = {"tumor": {"class": "solid"}, "clinical_signs": "typical", "mri": "normal"}
    before = panel(CELLS, word("csf_cytology", "positive"), context=context)
    after = panel(CELLS, word("csf_cytology", "negative"), context={**context, "mri": "linear"})
    found = between(interpret, before, after)
    assert (found["lm"]["before"]["certainty"], found["lm"]["after"]["certainty"]) == ("confirmed", "probable")
    assert {"id": "tumor_cells_in_csf", "before": "true", "after": "false"}.items() <= found["findings"][0].items()
    assert found["context"] == [{"id": "mri", "before": "normal", "after": "linear"}]
    assert found["headline"] is not None


def test_a_withdrawn_critical_result_stands_first_and_in_a_box(interpret: Interpret) -> None:
    found = between(interpret, panel(CELLS, PNEUMO), panel(CELLS, word("csf_gram_stain", "negative")))
    assert [row["rule"] for row in found["critical"]["withdrawn"]] == ["CR-ORG"]
    assert short(found)["critical_withdrawn"] == 1
    text = report_changes.write(found)
    assert text.splitlines()[4].startswith("# !!! CRITICAL RESULT WITHDRAWN")
    assert "No call was recorded." in " ".join(text.replace("#", "").split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_recorded_call_is_told_with_the_withdrawal(interpret: Interpret) -> None:
    before, after = interpret(panel(CELLS, PNEUMO)), interpret(panel(CELLS))
    before["critical"][0]["acknowledged"] = {"told": "Dr. Example", "at": "2026-03-01T10:00:00Z"}
    text = report_changes.write(change({**before, "version": 1}, after))
    assert "Call recorded: " in text and "Dr. Example" in " ".join(text.replace("#", "").split())


def test_another_critical_value_is_a_changed_call_not_a_withdrawn_one(interpret: Interpret) -> None:
    found = between(
        interpret, panel(quantity("csf_leukocytes", 40, "/uL")), panel(quantity("csf_leukocytes", 80, "/uL"))
    )
    assert found["critical"]["withdrawn"] == found["critical"]["new"] == []
    assert [row["after"]["rule"] for row in found["critical"]["changed"]] == ["CR-WBC"]


def test_a_cancelled_panel_withdraws_every_call(interpret: Interpret) -> None:
    found = between(interpret, panel(CELLS, PNEUMO), panel(CELLS, PNEUMO, status="cancelled"))
    assert len(found["critical"]["withdrawn"]) == 1
    assert found["status"] == {"before": "final", "after": "cancelled"}


# --- the HTTP door ---


@pytest.fixture
def corrected(client: FlaskClient, panel: Any) -> str:
    """A panel whose Gram stain was positive in version 1 and is negative in version 2."""
    document = panel()
    document["observations"] += [PNEUMO]
    address = client.post("/api/v1/panels", json=document).headers["Location"]
    document["source"]["message_id"] += "-2"
    document["observations"][-1] = word("csf_gram_stain", "negative")
    client.post("/api/v1/panels", json=document)
    return address


def test_versions_count_what_changed(client: FlaskClient, corrected: str) -> None:
    first, second = client.get(f"{corrected}/versions").get_json()["items"]
    assert first["change"] is None
    assert (second["change"]["from"], second["change"]["critical_withdrawn"]) == (1, 1)


def test_changes_compare_any_two_versions(client: FlaskClient, corrected: str) -> None:
    newest = client.get(f"{corrected}/changes").get_json()
    assert newest == client.get(f"{corrected}/changes?from=1&to=2").get_json()
    assert kinds(newest)[0] == ("value", "csf_gram_stain")
    back = client.get(f"{corrected}/changes?from=2&to=1").get_json()
    assert [row["rule"] for row in back["critical"]["new"]] == ["CR-ORG"]


@pytest.mark.parametrize(("query", "status"), [("?to=1", 422), ("?from=7", 404), ("?to=x", 422), ("?form=1", 422)])
def test_wrong_versions_are_told(client: FlaskClient, corrected: str, query: str, status: int) -> None:
    assert client.get(f"{corrected}/changes{query}").status_code == status


def test_the_report_and_the_page_show_the_withdrawal_before_anything_else(client: FlaskClient, corrected: str) -> None:
    text = client.get(f"{corrected}/interpretation", headers={"Accept": "text/plain"}).text
    assert text.index("CRITICAL RESULT WITHDRAWN") < text.index("SUMMARY")
    page = client.get(f"{corrected}/interpretation", headers={"Accept": "text/html"}).text
    assert "Critical result withdrawn: tell whoever was called" in page
    first = client.get(f"{corrected}/interpretation?version=1", headers={"Accept": "text/plain"}).text
    assert "CHANGED SINCE" not in first


def test_an_hl7_message_at_the_panels_updates_where_json_replaces(client: FlaskClient) -> None:
    def message(number: int, obx: str) -> bytes:
        head = f"MSH|^~\\&|LIS|LAB|||20260301100000||ORU^R01^ORU_R01|M{number}|P|2.5.1\rPID|1||MRN-HL7"
        return f"{head}\rOBR|1|||34564-5^CSF^LN\rOBX|1|{obx}\rSPM|1|ACC-HL7||CSF^^HL70487\r".encode()

    def send(number: int, obx: str) -> Any:
        return client.post("/api/v1/panels", data=message(number, obx), content_type="application/hl7-v2")

    first = send(1, "NM|26465-5^Leukocytes^LN||21|/uL|||||F")
    second = send(2, "NM|2520-5^Lactate^LN||4.2|mmol/L|||||F")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["Location"] == second.headers["Location"]
    assert [row["analyte"] for row in second.get_json()["results"]] == ["csf_leukocytes", "csf_lactate"]

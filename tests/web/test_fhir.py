"""The FHIR door over HTTP: what is stored is read again, every error is an OperationOutcome, no result gets lost."""

from __future__ import annotations

import itertools
import json
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from csfinterp.service import Service
from tests.formats.fhir_checking import assert_valid, loads
from tests.formats.fhir_rendering import to_fhir
from tests.web.conftest import PanelMaker

BASE = "/fhir/r4"
FHIR = "application/fhir+json"
Document = dict[str, Any]
_days = itertools.count(1)


def post(client: FlaskClient, document: Any, path: str = "", **headers: str) -> TestResponse:
    body = document if isinstance(document, str | bytes) else json.dumps(document)
    return client.post(BASE + path, data=body, content_type=FHIR, headers=headers)


def stored(client: FlaskClient, sent: Document) -> tuple[str, Document]:
    """Id of the report, and the entry that answered it."""
    answer = post(client, to_fhir(sent), Prefer="return=representation")
    assert answer.status_code == 200, answer.text
    told = next(entry for entry in answer.get_json()["entry"] if "location" in entry["response"])
    return told["response"]["location"].split("/")[1], told


def bundle_of(*panels: Document, kind: str = "batch") -> Document:
    """One Bundle of several panels; addresses of each are its own."""
    entries = []
    for number, sent in enumerate(panels):
        text = json.dumps(to_fhir(sent)["entry"]).replace('"urn:uuid:', f'"urn:uuid:{number}')
        entries += json.loads(text)
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def outcome(answer: TestResponse, status: int) -> list[Document]:
    """The issues of an OperationOutcome."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == FHIR
    document = answer.get_json()
    assert document["resourceType"] == "OperationOutcome"
    assert_valid(loads(answer.data), invariants=False)
    return list(document["issue"])


def test_a_transaction_is_stored_and_its_report_is_read(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("ms_like")
    report_id, told = stored(client, sent)
    assert told["response"]["status"] == "201"
    answer = client.get(f"{BASE}/DiagnosticReport/{report_id}")
    assert (answer.status_code, answer.mimetype, answer.headers["ETag"]) == (200, FHIR, 'W/"1"')
    report = loads(answer.data)
    assert_valid(report)
    assert report == loads(json.dumps(told["resource"]))
    by_json = client.get(f"/api/v1/panels/{report_id}/interpretation").get_json()
    assert report["conclusion"].split("\n")[0] == by_json["summary"]["headline"]
    for reference in report["result"]:
        observation = client.get(f"{BASE}/{reference['reference']}")
        assert observation.status_code == 200
        assert_valid(loads(observation.data))
    assert client.get(answer.request.path, headers={"If-None-Match": 'W/"1"'}).status_code == 304


def test_the_response_has_one_entry_for_each_that_was_sent(client: FlaskClient, panel: PanelMaker) -> None:
    sent = to_fhir(panel())
    sent["entry"].append({
        "fullUrl": "urn:uuid:6d1a9f8e-0000-4000-8000-000000000001", "request": {"method": "POST", "url": "Device"},
        "resource": {"resourceType": "Device"},
    })  # fmt: skip
    answer = post(client, sent)
    document = loads(answer.data)
    assert_valid(document)
    assert (document["type"], len(document["entry"])) == ("transaction-response", len(sent["entry"]))
    assert {entry["response"]["status"] for entry in document["entry"][:-1]} == {"201"}
    last = document["entry"][-1]["response"]
    assert "Not stored" in last["outcome"]["issue"][0]["diagnostics"]
    assert "resource" not in document["entry"][-2], "the report is sent only to who prefers it"


def test_the_same_bundle_again_makes_no_new_version(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel()
    first, again = stored(client, sent), stored(client, sent)
    assert first[0] == again[0]
    assert (first[1]["response"]["status"], again[1]["response"]["status"]) == ("201", "200")


def test_a_correction_is_a_new_version_and_the_old_one_stays(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel()
    report_id, _ = stored(client, sent)
    sent["observations"][1]["value"] = 22
    sent["source"]["message_id"] += "-b"
    assert stored(client, sent)[0] == report_id
    newest, first = (client.get(f"{BASE}/DiagnosticReport/{report_id}{which}") for which in ("", "/_history/1"))
    assert (newest.headers["ETag"], newest.get_json()["status"]) == ('W/"2"', "corrected")
    assert (first.headers["ETag"], first.get_json()["status"]) == ('W/"1"', "final")
    history = client.get(f"{BASE}/DiagnosticReport/{report_id}/_history")
    assert_valid(loads(history.data))
    assert [entry["resource"]["meta"]["versionId"] for entry in history.get_json()["entry"]] == ["2", "1"]


def test_another_patient_under_the_same_specimen_is_refused(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel()
    stored(client, sent)
    sent["patient"]["id"] += "-OTHER"
    sent["source"]["message_id"] += "-b"
    [issue] = outcome(post(client, to_fhir(sent)), 409)
    assert issue["code"] == "conflict"
    assert "OTHER" not in issue["diagnostics"]


def test_in_a_batch_one_bad_panel_stops_no_other(client: FlaskClient, panel: PanelMaker) -> None:
    good, bad, other = panel("normal"), panel("viral"), panel("bacterial")
    sent = bundle_of(good, bad, other)
    reports = [number for number, entry in enumerate(sent["entry"])
               if entry["resource"]["resourceType"] == "DiagnosticReport"]  # fmt: skip
    wrong = next(number for number, entry in enumerate(sent["entry"])
                 if reports[0] < number and entry["resource"]["resourceType"] == "Observation")  # fmt: skip
    sent["entry"][wrong]["resource"]["status"] = "finished"
    document = loads(post(client, sent).data)
    assert_valid(document)
    assert [document["entry"][number]["response"]["status"] for number in reports] == ["201", "422", "201"]
    [issue] = document["entry"][reports[1]]["response"]["outcome"]["issue"]
    assert issue["expression"] == [f"entry[{wrong}].resource.status"]


def test_a_transaction_of_two_panels_is_not_half_stored(client: FlaskClient, panel: PanelMaker) -> None:
    one, two = panel("normal"), panel("viral")
    [issue] = outcome(post(client, bundle_of(one, two, kind="transaction")), 422)
    assert "batch" in issue["diagnostics"]
    found = client.get("/api/v1/panels", query_string={"specimen": one["specimen"]["id"]}).get_json()
    assert found["items"] == []


def test_interpret_stores_nothing(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("solid_lm_positive_cytology")
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": to_fhir(sent)}]}
    for body in (to_fhir(sent, "collection"), wrapped):
        answer = post(client, body, "/$interpret")
        assert answer.status_code == 200, answer.text
        document = loads(answer.data)
        assert_valid(document, invariants=False)
        report = document["entry"][0]["resource"]
        assert ("confirmed" in report["conclusion"], "id" in report) == (True, False)
    assert client.get("/api/v1/panels", query_string={"patient": sent["patient"]["id"]}).get_json()["items"] == []


def test_a_report_with_contained_observations_is_taken(client: FlaskClient) -> None:
    sent = {
        "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CSF"},
        "contained": [
            {"resourceType": "Specimen", "id": "s", "identifier": [{"value": f"ACC-{uuid.uuid4().hex}"}],
             "type": {"text": "Cerebrospinal fluid"}},
            {"resourceType": "Observation", "id": "o", "status": "final", "specimen": {"reference": "#s"},
             "code": {"coding": [{"system": "http://loinc.org", "code": "26465-5"}]},
             "valueQuantity": {"value": 31, "unit": "/uL"}},
        ],
        "specimen": [{"reference": "#s"}], "result": [{"reference": "#o"}],
    }  # fmt: skip
    document = post(client, sent).get_json()
    assert [entry["response"]["status"] for entry in document["entry"]] == ["201"]


def test_the_json_doors_take_and_give_fhir(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("viral")
    answer = client.post("/api/v1/panels", data=json.dumps(to_fhir(sent)), content_type=FHIR)
    assert answer.status_code == 201, answer.text
    shown = client.get(f"{answer.headers['Location']}/interpretation", headers={"Accept": FHIR})
    assert shown.mimetype == FHIR
    assert_valid(loads(shown.data), invariants=False)
    two = client.post("/api/v1/interpret", data=json.dumps(bundle_of(panel(), panel())), content_type=FHIR)
    assert (two.status_code, two.get_json()["type"]) == (422, "/problems/document-refused")


def test_metadata_is_true(client: FlaskClient) -> None:
    statement = client.get(f"{BASE}/metadata").get_json()
    assert_valid(loads(client.get(f"{BASE}/metadata").data))
    [rest] = statement["rest"]
    for resource in rest["resource"]:
        for parameter in resource.get("searchParam", ()):
            value = {"date": "2026-03-01"}.get(parameter["type"], "nothing")
            value = "final" if parameter["name"] == "status" else value
            answer = client.get(f"{BASE}/{resource['type']}", query_string={parameter["name"]: value})
            assert answer.status_code == 200, (resource["type"], parameter["name"], answer.text)
    [operation] = rest["operation"]
    definition = client.get(urlsplit(operation["definition"]).path)
    assert_valid(loads(definition.data))


@pytest.mark.parametrize(
    ("body", "status", "expression"),
    [
        ("", 422, None),
        ("{", 422, None),
        ("[]", 422, None),
        ('{"resourceType": "Patient"}', 422, "resourceType"),
        ('{"resourceType": "Bundle", "type": "wat", "entry": []}', 422, "type"),
        ('{"resourceType": "Bundle", "type": "batch", "entry": []}', 422, "entry"),
        ('{"resourceType": "Bundle", "type": "batch", "entry": [{}]}', 422, "entry[0].resource"),
        (
            '{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Patient"}}]}',
            422,
            None,
        ),
    ],
)
def test_what_cannot_be_read_is_an_operation_outcome(
    client: FlaskClient, body: str, status: int, expression: str | None
) -> None:
    issues = outcome(post(client, body), status)
    assert [issue.get("expression") for issue in issues] == [[expression] if expression else None]


def test_every_other_error_is_an_operation_outcome_too(client: FlaskClient, panel: PanelMaker) -> None:
    assert outcome(client.get(f"{BASE}/DiagnosticReport/{'0' * 32}"), 404)[0]["code"] == "not-found"
    assert outcome(client.get(f"{BASE}/Observation/x-y"), 404)
    assert outcome(client.get(f"{BASE}/Patient/1"), 404)
    assert outcome(client.delete(f"{BASE}/metadata"), 405)
    assert outcome(client.post(BASE, data="<Bundle/>", content_type="application/fhir+xml"), 415)
    assert outcome(client.get(f"{BASE}/metadata", headers={"Accept": "application/fhir+xml"}), 406)
    assert outcome(client.get(f"{BASE}/metadata?_format=xml"), 406)
    assert outcome(post(client, "x" * 100_001), 413)
    assert client.get(f"{BASE}/metadata?_format=json", headers={"Accept": "text/html"}).status_code == 200
    no_request = to_fhir(panel())
    del no_request["entry"][0]["request"]
    assert outcome(post(client, no_request), 422)[0]["expression"] == ["entry[0].request"]


class TestSearch:
    @pytest.fixture
    def patient(self, client: FlaskClient, panel: PanelMaker) -> str:
        """A patient with three panels: normal, bacterial, solid LM, a day apart."""
        name = f"MRN-{uuid.uuid4().hex}"
        for day, sample in enumerate(("normal", "bacterial", "solid_lm_positive_cytology"), 1):
            sent = panel(sample)
            sent["patient"]["id"] = name
            sent["specimen"].update(id=f"{name}-{day}", collected_at=f"2026-05-0{day}T08:00:00+02:00")
            stored(client, sent)
        return name

    def days(self, answer: TestResponse) -> list[int]:
        assert answer.status_code == 200, answer.text
        assert_valid(loads(answer.data), invariants=False)
        found = [entry["resource"] for entry in answer.get_json().get("entry", ())]
        return [int(one["effectiveDateTime"][8:10]) for one in found]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, [3, 2, 1]),
            ({"date": "2026-05-02"}, [2]),
            ({"date": "ge2026-05-02"}, [3, 2]),
            ({"date": "gt2026-05-02"}, [3]),
            ({"date": "lt2026-05-02"}, [1]),
            ({"date": ["ge2026-05-02", "le2026-05-02"]}, [2]),
            ({"date": "2026-05"}, [3, 2, 1]),
            ({"date": "2026-05-02T08:00:00+02:00"}, [2]),
            ({"date": "lt2026-05-02T08:00:00+02:00"}, [1]),
            ({"status": "final,corrected"}, [3, 2, 1]),
            ({"status": "preliminary"}, []),
            ({"code": "urn:csfinterp:report|csf-interpretation"}, [3, 2, 1]),
            ({"code": "58410-2"}, []),
            ({"_lastUpdated": "ge2020-01-01"}, [3, 2, 1]),
            ({"_lastUpdated": "lt2020-01-01"}, []),
            ({"category": "LAB"}, [3, 2, 1]),
            ({"category": "RAD"}, []),
        ],
    )
    def test_reports(self, client: FlaskClient, patient: str, query: Document, expected: list[int]) -> None:
        answer = client.get(f"{BASE}/DiagnosticReport", query_string={"patient": patient, **query})
        assert self.days(answer) == expected

    def test_by_specimen_and_by_identifier(self, client: FlaskClient, patient: str) -> None:
        answer = client.get(f"{BASE}/DiagnosticReport", query_string={"specimen.identifier": f"{patient}-2"})
        assert self.days(answer) == [2]
        panel_id = answer.get_json()["entry"][0]["resource"]["id"]
        for query in ({"identifier": f"urn:csfinterp:panel|{panel_id}"}, {"_id": panel_id}):
            assert self.days(client.get(f"{BASE}/DiagnosticReport", query_string=query)) == [2]
        wrong = client.get(f"{BASE}/DiagnosticReport", query_string={"identifier": f"urn:other|{panel_id}"})
        assert self.days(wrong) == []

    def test_observations_by_code(self, client: FlaskClient, patient: str) -> None:
        for code in ("csf_leukocytes", "26465-5", "http://loinc.org|26465-5", "urn:csfinterp:analyte|csf_leukocytes"):
            query = {"patient": patient, "code": code}
            assert self.days(client.get(f"{BASE}/Observation", query_string=query)) == [3, 2, 1], code
        assert (
            self.days(client.get(f"{BASE}/Observation", query_string={"patient": patient, "code": "x|26465-5"})) == []
        )

    @pytest.mark.parametrize("kind", ["DiagnosticReport", "Observation"])
    def test_pages_are_complete(self, client: FlaskClient, patient: str, kind: str) -> None:
        whole = client.get(f"{BASE}/{kind}", query_string={"patient": patient, "_count": 400}).get_json()["entry"]
        seen: list[str] = []
        address: str | None = f"{BASE}/{kind}?patient={patient}&_count={1 if kind == 'DiagnosticReport' else 7}"
        while address:
            page = client.get(address).get_json()
            seen += [entry["fullUrl"] for entry in page.get("entry", ())]
            assert all(patient not in link["url"] for link in page["link"])
            following = [urlsplit(link["url"]) for link in page["link"] if link["relation"] == "next"]
            address = f"{following[0].path}?{following[0].query}" if following else None
        assert seen == [entry["fullUrl"] for entry in whole]
        assert len(set(seen)) == len(seen) >= 3

    def test_by_form_so_that_no_patient_stands_in_the_address(self, client: FlaskClient, patient: str) -> None:
        answer = client.post(f"{BASE}/DiagnosticReport/_search", data={"patient": patient})
        assert self.days(answer) == [3, 2, 1]
        [own] = [link["url"] for link in answer.get_json()["link"]]
        assert patient not in own
        assert self.days(client.get(own)) == [3, 2, 1]

    def test_a_link_to_a_page_holds_for_a_day(self, client: FlaskClient, patient: str, service: Service) -> None:
        page = client.get(f"{BASE}/DiagnosticReport?patient={patient}&_count=1").get_json()
        following = next(link["url"] for link in page["link"] if link["relation"] == "next")
        assert self.days(client.get(following)) == [2]
        token = parse_qs(urlsplit(following).query)["_page"][0]
        now = service.now()
        assert service.searches.find(token, now + timedelta(hours=23)) is not None
        assert service.searches.find(token, now + timedelta(hours=25)) is None
        assert outcome(client.get(f"{BASE}/DiagnosticReport?_page=unknown"), 422)

    @pytest.mark.parametrize(
        "query",
        [{"patiant": "x"}, {"patient": ""}, {"date": "01/02/2026"}, {"date": "2026-13"}, {"status": "done"},
         {"_count": "0"}, {"_after": "<script>"}, {"_sort": "date"}, {"date": ["ge2026", "gt2026"]},
         {"patient": ["a", "b"]}, {"date": "ne2026-03-01"}],
    )  # fmt: skip
    def test_what_is_not_understood_is_refused(self, client: FlaskClient, query: Document) -> None:
        for kind in ("DiagnosticReport", "Observation"):
            assert outcome(client.get(f"{BASE}/{kind}", query_string=query), 422)

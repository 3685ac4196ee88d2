"""The hall: what a sender is told, what is kept, and what no message may do to a stored answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from csfinterp import knowledge
from csfinterp.errors import ConflictError, DocumentError, EditionError, NotFoundError, PreconditionError
from csfinterp.formats import panel_json
from csfinterp.model.panel import Panel
from csfinterp.service import PanelFilter, Service, Submission
from csfinterp.settings import Settings
from csfinterp.store import RaceError, Store, open_store
from csfinterp.store.schema import held_messages

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def document(**changed: Any) -> dict[str, Any]:
    """A small panel; `cytology`, `lactate`, `day`, `message` and whole members may be changed, None leaves one out."""
    base: dict[str, Any] = {
        "source": {"system": "LIS-A", "message_id": changed.pop("message", None)},
        "patient": {"id": changed.pop("patient", "MRN-4711"), "birth_date": "1961-04-02", "sex": "female"},
        "specimen": {"id": changed.pop("specimen", "ACC-1"), "type": "csf", "site": "lumbar",
                     "collected_at": changed.pop("collected_at", "2026-03-01T09:20:00+01:00")},
        "context": {"tumor": {"class": "solid", "primary": "breast"}, "clinical_signs": "typical", "question": "lm"},
        "observations": [
            {"code": "csf_leukocytes", "value": 21, "unit": "/uL"},
            {"code": "csf_lactate", "value": changed.pop("lactate", "3.90"), "unit": "mmol/L"},
            {"code": "csf_cytology", "value": changed.pop("cytology", "negative")},
        ],
    }  # fmt: skip
    return {key: value for key, value in (base | changed).items() if value is not None}


def panel(**changed: Any) -> Panel:
    return panel_json.read(json.dumps(document(**changed)).encode())


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    return Settings.load({"CSFINTERP_DATA_FOLDER": str(folder), "CSFINTERP_ALLOW_DRAFT": "true"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'csfinterp.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def service(settings: Settings, store: Store) -> Service:
    ticks = iter(range(10**6))
    return Service(settings, store, clock=lambda: START + timedelta(seconds=next(ticks)))


def held(store: Store) -> list[tuple[str, dict[str, Any]]]:
    with store.engine.connect() as connection:
        return [
            (why, json.loads(text))
            for why, text in connection.execute(select(held_messages.c.why, held_messages.c.document))
        ]


# --- submit ---


def test_a_new_panel_is_version_1_and_reads_back_as_it_was_answered(service: Service) -> None:
    answer = service.submit(panel())
    assert (answer.version, answer.created) == (1, True)
    assert (answer.document["panel_id"], answer.document["version"]) == (answer.panel_id, 1)
    assert answer.document["status"] == "final"
    stored = service.panel(answer.panel_id)
    assert stored.document == answer.document
    assert (stored.version, stored.versions, stored.reason, stored.etag) == (1, 1, "posted", f"{answer.panel_id}-1")


def test_the_panel_is_kept_as_it_was_sent(service: Service) -> None:
    sent = '{"specimen": {"id": "ACC-1"}, "observations": [{"code": "csf_protein", "value": 450.10, "unit": "mg/L"}]}'
    stored = service.panel(service.submit(panel_json.read(sent.encode())).panel_id)
    assert stored.panel_text == sent
    assert stored.panel_document == json.loads(sent)


def test_the_same_content_again_gets_the_same_answer(service: Service) -> None:
    first = service.submit(panel(message="M1"))
    for again in (panel(message="M1"), panel(message="M2"), panel()):
        assert service.submit(again) == replace(first, created=False)
    assert len(service.versions(first.panel_id)) == 1


def test_new_content_of_a_specimen_is_the_next_version_and_corrects(service: Service) -> None:
    first = service.submit(panel())
    second = service.submit(panel(lactate="4.2"))
    assert (second.panel_id, second.version, second.created) == (first.panel_id, 2, True)
    assert second.document["status"] == "corrected"
    assert service.panel(first.panel_id, 1).document == first.document
    assert [(row.version, row.reason, row.status) for row in service.versions(first.panel_id)] == [
        (1, "posted", "final"),
        (2, "corrected", "corrected"),
    ]


def test_a_cancelled_panel_is_cancelled_not_corrected(service: Service) -> None:
    first = service.submit(panel())
    assert service.submit(panel(status="cancelled")).document["status"] == "cancelled"
    assert service.submit(panel(lactate="4.0")).document["status"] == "corrected"
    assert [row.status for row in service.versions(first.panel_id)] == ["final", "cancelled", "corrected"]


def test_content_that_comes_back_is_a_correction_unless_the_message_is_repeated(service: Service) -> None:
    first = service.submit(panel(message="M1"))
    service.submit(panel(message="M2", lactate="4.2"))
    assert service.submit(panel(message="M1")) == replace(first, created=False)
    third = service.submit(panel(message="M3"))
    assert (third.version, third.created, third.document["status"]) == (3, True, "corrected")
    assert service.submit(panel(message="M1")) == replace(first, created=False)


def test_a_message_id_with_other_content_is_held_and_changes_nothing(service: Service, store: Store) -> None:
    first = service.submit(panel(message="M1"))
    changed = document(message="M1", lactate="9.9")
    for _ in range(2):
        with pytest.raises(ConflictError) as caught:
            service.submit(panel_json.read(json.dumps(changed).encode()))
        assert caught.value.kind == "message_id_reused"
    assert held(store) == [("message_id_reused", changed)]
    assert len(service.versions(first.panel_id)) == 1


def test_message_ids_of_different_systems_do_not_meet(service: Service) -> None:
    first = service.submit(panel(message="M1"))
    other = service.submit(panel(source={"system": "LIS-B", "message_id": "M1"}, lactate="9.9"))
    assert other.created
    assert other.panel_id != first.panel_id


@pytest.mark.parametrize("patients", [("MRN-1", "MRN-2"), ("MRN-1", None), (None, "MRN-1")])
def test_a_specimen_of_another_patient_is_held_and_joined_to_nobody(
    service: Service, store: Store, patients: tuple[str | None, str | None]
) -> None:
    """SL75: a result joins a case only where patient and specimen match; an id that is missing does not match."""
    first, second = patients
    stored = service.submit(panel(patient=first))
    with pytest.raises(ConflictError) as caught:
        service.submit(panel(patient=second, message="M2", lactate="9.9"))
    assert caught.value.kind == "other_patient"
    assert "MRN" not in str(caught.value)
    assert [why for why, _ in held(store)] == ["other_patient"]
    assert held(store)[0][1]["observations"][1]["value"] == "9.9"
    assert len(service.versions(stored.panel_id)) == 1


LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    "observations",
    [
        [{"code": "shoe_size", "value": 43}],
        [{"code": "serum_albumin", "value": 40, "unit": "g/L"}, {"code": "plasma_ctdna", "value": "detected"}],
        [{"code": {"system": LOINC, "code": "2880-4"}, "value": 450}],  # the check digit fails
    ],
)
def test_a_document_without_any_csf_analyte_is_refused_and_nothing_is_stored(
    service: Service, observations: list[dict[str, Any]]
) -> None:
    refused = panel(observations=observations)
    for ask in (service.submit, service.interpret):
        with pytest.raises(DocumentError, match="analyte ids") as caught:
            ask(refused)
        assert [fault.pointer for fault in caught.value.faults] == ["/observations"]
    assert service.search(PanelFilter(), 10).items == ()


@pytest.mark.parametrize(
    "observation",
    [
        {"code": {"system": LOINC, "code": "2345-7"}, "value": 90, "unit": "mg/dL"},  # glucose in serum: RU12
        {"code": "serum_glucose", "specimen": "csf", "value": 90, "unit": "mg/dL"},
        {"code": "csf_protein", "value": None, "absent_reason": "specimen lost"},
        {"code": "albumin_quotient", "value": 7, "unit": "10*-3"},
    ],
)
def test_a_panel_that_names_an_analyte_of_csf_is_stored_though_nothing_can_be_judged(
    service: Service, observation: dict[str, Any]
) -> None:
    assert service.submit(panel(observations=[observation])).created


def test_interpreting_stores_nothing(service: Service) -> None:
    answer = service.interpret(panel())
    assert (answer["panel_id"], answer["version"]) == (None, 1)
    assert service.search(PanelFilter(), 10).items == ()


def test_many_are_interpreted_as_one_by_one(service: Service) -> None:
    panels = [panel(lactate=str(value)) for value in (1.5, 3.9, 8)]
    many = service.interpret_many(panels)
    assert [{**answer, "generated_at": None} for answer in many] == [
        {**service.interpret(each), "generated_at": None} for each in panels
    ]


def test_the_same_panel_gives_the_same_document_but_for_ids_and_time(service: Service) -> None:
    """SL70."""
    differ = {"panel_id": None, "generated_at": None}
    one = service.submit(panel(patient="MRN-1")).document | differ
    other: dict[str, Any] = service.submit(panel(patient="MRN-1", source={"system": "LIS-B"})).document | differ
    other["context"].pop("history")
    assert one == other


# --- history (SL11, IN2, RU6) ---


def history(answer: Submission) -> dict[str, Any]:
    context: Any = answer.document["context"]
    return dict(context.get("history", {}))


def test_an_earlier_positive_cytology_is_never_undone_by_a_later_negative(service: Service) -> None:
    first = service.submit(panel(specimen="A", cytology="positive", collected_at="2026-03-01T09:00:00+01:00"))
    second = service.submit(panel(specimen="B", cytology="negative", collected_at="2026-03-08T09:00:00+01:00"))
    lm: Any = second.document["lm"]
    assert lm["certainty"] == "confirmed"
    assert history(second) == {
        "csf_cytology": {
            "value": "positive",
            "panel_id": first.panel_id,
            "collected_at": "2026-03-01T09:00:00+01:00",
        },
        "csf_samples_examined": 2,
        "first_finding": {
            "csf_cytology": {"panel_id": first.panel_id, "collected_at": "2026-03-01T09:00:00+01:00"},
        },
    }
    assert history(first) == {}


def test_the_best_earlier_sample_counts_and_of_equals_the_first(service: Service) -> None:
    days = {"A": "atypical", "B": "suspicious", "C": "negative", "D": "suspicious", "E": "nondiagnostic"}
    ids = {
        specimen: service.submit(panel(specimen=specimen, cytology=word, collected_at=f"2026-03-0{day}")).panel_id
        for day, (specimen, word) in enumerate(days.items(), start=1)
    }
    last = service.submit(panel(specimen="F", collected_at="2026-03-09"))
    assert history(last)["csf_cytology"] == {
        "value": "suspicious",
        "panel_id": ids["B"],
        "collected_at": "2026-03-02",
    }
    assert history(last)["csf_samples_examined"] == 6


def test_the_last_albumin_quotient_is_carried(service: Service) -> None:
    def pair(albumin: int) -> list[dict[str, Any]]:
        return [
            {"code": "csf_albumin", "value": albumin, "unit": "mg/L"},
            {"code": "serum_albumin", "value": 40, "unit": "g/L"},
        ]

    service.submit(panel(specimen="A", observations=pair(400), collected_at="2026-03-01"))
    last = service.submit(panel(specimen="B", observations=pair(200), collected_at="2026-03-02"))
    third = service.submit(panel(specimen="C", collected_at="2026-03-03"))
    assert history(third) == {
        "csf_samples_examined": 1,
        "albumin_quotient": {"value": 5.0, "panel_id": last.panel_id, "collected_at": "2026-03-02"},
    }


def test_samples_of_other_patients_later_samples_and_cancelled_ones_do_not_count(service: Service) -> None:
    service.submit(panel(specimen="A", patient="MRN-2", cytology="positive"))
    service.submit(panel(specimen="B", cytology="positive", collected_at="2026-04-01"))
    service.submit(panel(specimen="C", cytology="positive", status="cancelled", collected_at="2026-02-01"))
    assert history(service.submit(panel(specimen="D"))) == {}
    assert history(service.submit(panel(specimen="E", patient=None, cytology="positive"))) == {}
    assert history(service.submit(panel(specimen="F", patient=None))) == {}


def test_an_episode_limits_the_history_to_itself(service: Service) -> None:
    context = {"tumor": "solid", "episode": "2025"}
    service.submit(panel(specimen="A", cytology="positive", context=context, collected_at="2025-01-01"))
    assert history(service.submit(panel(specimen="B", context={"tumor": "solid", "episode": "2026"}))) == {}
    assert history(service.submit(panel(specimen="C")))["csf_cytology"]["value"] == "positive"


def test_a_corrected_earlier_sample_counts_as_corrected(service: Service) -> None:
    service.submit(panel(specimen="A", cytology="positive", collected_at="2026-02-01"))
    service.submit(panel(specimen="A", cytology="negative", collected_at="2026-02-01"))
    assert history(service.submit(panel(specimen="B")))["csf_cytology"]["value"] == "negative"


def test_a_history_in_the_document_is_used_only_where_nothing_is_stored(service: Service) -> None:
    sent = panel(context={"tumor": "solid", "history": {"csf_cytology": {"value": "positive", "panel_id": "x"}}})
    stateless: Any = service.interpret(sent)
    assert stateless["lm"]["certainty"] == "confirmed"
    answer = service.submit(sent)
    assert history(answer) == {}
    assert service.panel(answer.panel_id).panel_document["context"] == sent.document["context"]


def test_first_tumor_cells_are_called_once_per_patient(service: Service) -> None:
    """SL42: the urgent call is for the first finding."""

    def urgent(answer: Submission) -> list[str]:
        calls: Any = answer.document["critical"]
        return [call["rule"] for call in calls if call["level"] == "urgent"]

    assert urgent(service.submit(panel(specimen="A", cytology="positive", collected_at="2026-02-01"))) == ["CR-CELL"]
    assert urgent(service.submit(panel(specimen="B", cytology="positive"))) == []


# --- amend ---


def test_an_amended_context_makes_a_version_and_leaves_the_old_one(service: Service) -> None:
    first = service.submit(panel())
    before: Any = first.document["lm"]
    amended = service.amend_context(
        first.panel_id, {"tumor": {"class": "solid"}, "mri": "linear", "clinical_signs": "typical"}, first.etag
    )
    after: Any = amended.document["lm"]
    assert (amended.version, amended.created, amended.document["status"]) == (2, True, "final")
    assert before["certainty"] != after["certainty"]
    assert service.panel(first.panel_id, 1).document == first.document
    stored = service.panel(first.panel_id)
    assert stored.reason == "context"
    assert stored.panel_document["context"] == {
        "tumor": {"class": "solid"},
        "mri": "linear",
        "clinical_signs": "typical",
    }
    assert stored.panel_document["observations"] == document()["observations"]


@pytest.mark.parametrize("form", ["{0}", '"{0}"', '"other", "{0}"', "*"])
def test_if_match_allows_who_has_seen_the_newest_version(service: Service, form: str) -> None:
    first = service.submit(panel())
    assert service.amend_context(first.panel_id, {"mri": "normal"}, form.format(first.etag)).version == 2


@pytest.mark.parametrize("form", ['"other"', 'W/"{0}"', "", '"{0}-1"'])
def test_if_match_refuses_who_has_not(service: Service, form: str) -> None:
    first = service.submit(panel())
    with pytest.raises(PreconditionError) as caught:
        service.amend_context(first.panel_id, {"mri": "normal"}, form.format(first.etag))
    assert caught.value.kind == "version_outdated"
    assert len(service.versions(first.panel_id)) == 1


def test_an_amendment_needs_if_match(service: Service) -> None:
    first = service.submit(panel())
    with pytest.raises(PreconditionError) as caught:
        service.amend_context(first.panel_id, {"mri": "normal"}, None)
    assert caught.value.kind == "if_match_missing"
    assert "If-Match" in caught.value.message


def test_an_amendment_after_a_correction_is_refused(service: Service) -> None:
    first = service.submit(panel())
    second = service.submit(panel(lactate="4.2"))
    with pytest.raises(PreconditionError):
        service.amend_context(first.panel_id, {"mri": "normal"}, first.etag)
    assert service.amend_context(first.panel_id, {"mri": "normal"}, second.etag).document["status"] == "corrected"


def test_faults_of_an_amended_context_point_into_it(service: Service) -> None:
    first = service.submit(panel())
    with pytest.raises(DocumentError) as caught:
        service.amend_context(first.panel_id, {"mri": "purple", "no_such_key": 1}, first.etag)
    assert sorted(fault.pointer for fault in caught.value.faults) == ["/mri", "/no_such_key"]
    assert len(service.versions(first.panel_id)) == 1


def test_a_resent_message_does_not_undo_an_amendment(service: Service) -> None:
    first = service.submit(panel(message="M1"))
    amended = service.amend_context(first.panel_id, {"tumor": "solid", "mri": "linear"}, first.etag)
    assert service.submit(panel(message="M2")) == replace(amended, created=False)


def test_an_amended_context_outlives_a_correction_of_a_value(service: Service) -> None:
    first = service.submit(panel())
    service.amend_context(first.panel_id, {"tumor": "solid", "mri": "linear"}, first.etag)
    corrected = service.submit(panel(lactate="4.2"))
    context: Any = corrected.document["context"]
    assert context["mri"] == "linear"
    assert corrected.document["status"] == "corrected"
    assert service.panel(first.panel_id).panel_document["context"] == {"tumor": "solid", "mri": "linear"}


def test_a_new_context_of_the_sender_replaces_an_amended_one(service: Service) -> None:
    first = service.submit(panel())
    service.amend_context(first.panel_id, {"tumor": "solid", "mri": "linear"}, first.etag)
    context: Any = service.submit(panel(context={"tumor": "hematologic"})).document["context"]
    assert (context["tumor"]["class"] if isinstance(context["tumor"], dict) else context["tumor"]) == "hematologic"
    assert context.get("mri") in (None, "not_done")


def test_an_amendment_reads_the_history_of_its_episode(service: Service) -> None:
    service.submit(panel(specimen="A", cytology="positive", collected_at="2026-02-01"))
    second = service.submit(panel(specimen="B"))
    assert "csf_cytology" in history(second)
    assert history(service.amend_context(second.panel_id, {"episode": "new"}, second.etag)) == {}


# --- reinterpret ---


@pytest.fixture
def two_editions(settings: Settings, store: Store, tmp_path: Path) -> Service:
    root = tmp_path / "editions"
    root.mkdir()
    (root / "2026.1").symlink_to(settings.editions_folder / "2026.1")
    knowledge.new_edition(root, "2026.2", "2026.1")
    return Service(replace(settings, editions_folder=root), store, clock=lambda: START)


def test_another_edition_makes_a_version_with_the_history_of_then(two_editions: Service) -> None:
    first = two_editions.submit(panel(specimen="B"))
    two_editions.submit(panel(specimen="A", cytology="positive", collected_at="2026-02-01"))
    again = two_editions.reinterpret(first.panel_id, "2026.2")
    edition: Any = again.document["edition"]
    assert (again.version, again.created, edition["id"], again.document["status"]) == (2, True, "2026.2", "final")
    assert history(again) == {}
    assert two_editions.panel(first.panel_id, 1).document == first.document
    assert two_editions.versions(first.panel_id)[1].reason == "reinterpreted"


def test_the_same_edition_again_says_the_same(service: Service) -> None:
    service.submit(panel(specimen="A", cytology="positive", collected_at="2026-02-01"))
    first = service.submit(panel(specimen="B"))
    amended = service.amend_context(first.panel_id, {"tumor": "solid", "mri": "nodular"}, first.etag)
    again = service.reinterpret(first.panel_id, "2026.1")
    differ = {"version": None, "generated_at": None}
    assert again.document | differ == amended.document | differ
    assert again.version == 3


def test_the_same_content_after_a_reinterpretation_gets_the_newest_answer(two_editions: Service) -> None:
    first = two_editions.submit(panel())
    again = two_editions.reinterpret(first.panel_id, "2026.2")
    assert two_editions.submit(panel()) == replace(again, created=False)


@pytest.mark.parametrize("ask", ["reinterpret", "edition_document", "core", "analytes"])
def test_an_unknown_edition_is_not_found(service: Service, ask: str) -> None:
    arguments = (service.submit(panel()).panel_id, "1999.1") if ask == "reinterpret" else ("1999.1",)
    with pytest.raises(NotFoundError):
        getattr(service, ask)(*arguments)


def test_a_draft_is_refused_unless_the_settings_allow_drafts(
    settings: Settings, two_editions: Service, tmp_path: Path
) -> None:
    strict = replace(settings, editions_folder=tmp_path / "editions", edition="2026.2", allow_draft=False)
    with pytest.raises(EditionError, match="draft"):
        Service(strict, Store(two_editions._store.engine))


# --- reading ---


def test_what_is_not_there_is_not_found(service: Service) -> None:
    known = service.submit(panel()).panel_id
    asks: list[Callable[[], object]] = [
        lambda: service.panel("nowhere"),
        lambda: service.panel(known, 2),
        lambda: service.versions("nowhere"),
        lambda: service.amend_context("nowhere", {}, "*"),
        lambda: service.reinterpret("nowhere", "2026.1"),
    ]
    for ask in asks:
        with pytest.raises(NotFoundError) as caught:
            ask()
        assert "nowhere" not in str(caught.value)


def test_search_reads_flags_findings_and_open_calls_of_the_newest_version(service: Service) -> None:
    service.submit(panel(specimen="A", lactate="1.5"))
    high = service.submit(panel(specimen="B", cytology="positive", collected_at="2026-02-01"))

    def found(**asked: str) -> list[str]:
        return [item.panel_id for item in service.search(PanelFilter(**asked), 10).items]

    assert found(flag="csf_lactate:H") == found(finding="lactate_raised") == [high.panel_id]
    assert found(certainty="confirmed") == found(critical="open") == found(collected_to="2026-02-28") == [high.panel_id]
    service.submit(panel(specimen="B", cytology="negative", lactate="1.5", collected_at="2026-02-01"))
    assert found(flag="csf_lactate:H") == found(certainty="confirmed") == found(critical="open") == []


def test_a_page_is_never_larger_than_the_site_allows(settings: Settings, store: Store) -> None:
    service = Service(replace(settings, page_size_max=2), store)
    for specimen in "ABC":
        service.submit(panel(specimen=specimen))
    assert len(service.search(PanelFilter(), 1000).items) == 2
    with pytest.raises(DocumentError):
        service.search(PanelFilter(), 0)


def test_editions_and_analytes_are_plain_data(service: Service) -> None:
    assert [info.id for info in service.editions()] == ["2026.1"]
    edition: dict[str, Any] = service.edition_document("2026.1")
    assert json.loads(json.dumps(edition, allow_nan=False)) == edition
    analytes = {str(entry["id"]): entry for entry in service.analytes()}
    assert analytes["csf_lactate"]["unit"] == "mmol/L"
    assert analytes == {entry["id"]: entry for entry in edition["analytes"]}


# --- trouble ---


def test_a_store_that_never_lets_a_writer_win_is_reported_as_busy(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        raise RaceError("always second")

    monkeypatch.setattr(Store, "add_many", lose)
    monkeypatch.setattr("csfinterp.service.time.sleep", lambda _: None)
    with pytest.raises(ConflictError) as caught:
        service.submit(panel())
    assert caught.value.kind == "busy"


def test_nothing_of_a_patient_is_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """SL73."""
    caplog.set_level(logging.DEBUG)
    first = service.submit(panel(message="M1"))
    service.amend_context(first.panel_id, {"mri": "linear"}, first.etag)
    with pytest.raises(ConflictError):
        service.submit(panel(message="M1", lactate="9.9"))
    assert not [word for word in ("MRN-4711", "ACC-1", "1961", "M1") if word in caplog.text]

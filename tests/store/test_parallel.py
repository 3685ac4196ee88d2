"""Many writers at the same moment, as threads and as processes: one answer per content, no gap, nothing lost."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from csfinterp.errors import ConflictError
from csfinterp.formats import panel_json
from csfinterp.model.panel import Panel
from csfinterp.service import PanelFilter, Service
from csfinterp.settings import Settings
from csfinterp.store import Store
from csfinterp.store.schema import held_messages

WRITERS = 8
FORK = multiprocessing.get_context("fork")
Answer = dict[str, Any]
Together = Callable[[Callable[[int], Answer]], list[Answer]]


def panel(
    specimen: str = "ACC-1", message: str | None = None, lactate: str = "3.9", cytology: str = "negative"
) -> Panel:
    document = {
        "source": {"system": "LIS-A", "message_id": message},
        "patient": {"id": "MRN-4711"},
        "specimen": {"id": specimen, "type": "csf"},
        "context": {"tumor": "solid"},
        "observations": [
            {"code": "csf_lactate", "value": lactate, "unit": "mmol/L"},
            {"code": "csf_cytology", "value": cytology},
        ],
    }
    return panel_json.read(json.dumps(document).encode())


@pytest.fixture
def service(store: Store, tmp_path: Path) -> Service:
    return Service(Settings.load({"CSFINTERP_DATA_FOLDER": str(tmp_path), "CSFINTERP_ALLOW_DRAFT": "true"}), store)


@pytest.fixture(params=["threads", "processes"])
def together(request: pytest.FixtureRequest) -> Together:
    return _threads if request.param == "threads" else _processes


def _threads(job: Callable[[int], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(job, range(WRITERS)))


def _processes(job: Callable[[int], Answer]) -> list[Answer]:
    """Each child works with its own connections, as the workers of a server do."""
    start, answers = FORK.Barrier(WRITERS), FORK.Queue()

    def work(number: int) -> None:
        start.wait(timeout=60)
        try:
            answers.put((number, job(number)))
        except BaseException as error:
            answers.put((number, {"error": repr(error)}))
            raise

    children = [FORK.Process(target=work, args=(number,)) for number in range(WRITERS)]
    for child in children:
        child.start()
    found = dict(answers.get(timeout=120) for _ in children)
    for child in children:
        child.join()
    return [found[number] for number in range(WRITERS)]


def post(service: Service, sent: Panel) -> Answer:
    """What became of one message."""
    try:
        answer = service.submit(sent)
    except ConflictError as error:
        return {"outcome": error.kind}
    return {
        "outcome": "created" if answer.created else "same",
        "panel_id": answer.panel_id,
        "version": answer.version,
        "document": answer.document,
    }


def outcomes(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.get("outcome", answer.get("error")) for answer in answers)


def held(store: Store) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(held_messages)).scalar_one()


@pytest.mark.parametrize("messages", ["no message id", "one message id", "own message ids"])
def test_the_same_content_makes_one_panel_with_one_version(service: Service, together: Together, messages: str) -> None:
    ids = {"no message id": lambda _: None, "one message id": lambda _: "M1", "own message ids": "M{}".format}
    answers = together(lambda number: post(service, panel(message=ids[messages](number))))
    assert outcomes(answers) == {"created": 1, "same": WRITERS - 1}
    assert all(answer["document"] == answers[0]["document"] for answer in answers)
    assert len(service.versions(answers[0]["panel_id"])) == 1
    assert len(service.search(PanelFilter(), 100).items) == 1


def test_different_content_of_one_specimen_makes_versions_without_a_gap(service: Service, together: Together) -> None:
    answers = together(lambda number: post(service, panel(lactate=f"{number}.5")))
    assert outcomes(answers) == {"created": WRITERS}
    assert len({answer["panel_id"] for answer in answers}) == 1
    assert sorted(answer["version"] for answer in answers) == list(range(1, WRITERS + 1))
    statuses = {answer["version"]: answer["document"]["status"] for answer in answers}
    assert statuses == {1: "final"} | dict.fromkeys(range(2, WRITERS + 1), "corrected")
    for answer in answers:
        assert service.panel(answer["panel_id"], answer["version"]).document == answer["document"]


@pytest.mark.parametrize("specimens", ["one specimen", "many specimens"])
def test_one_message_id_with_different_content_is_answered_once_and_held_else(
    service: Service, store: Store, together: Together, specimens: str
) -> None:
    names = ["ACC-1"] * WRITERS if specimens == "one specimen" else [f"ACC-{number}" for number in range(WRITERS)]
    answers = together(lambda number: post(service, panel(names[number], "M1", f"{number}.5")))
    assert outcomes(answers) == {"created": 1, "message_id_reused": WRITERS - 1}
    assert held(store) == WRITERS - 1
    assert len(service.search(PanelFilter(), 100).items) == 1


def test_samples_of_one_patient_never_miss_a_positive_one_that_was_stored_before(
    service: Service, together: Together
) -> None:
    """SL11: whoever is stored later has seen it, however close they came."""
    answers = together(
        lambda number: post(service, panel(f"ACC-{number}", cytology="negative" if number else "positive"))
    )
    assert outcomes(answers) == {"created": WRITERS}
    histories = {answer["panel_id"]: answer["document"]["context"].get("history", {}) for answer in answers}
    order = [item.panel_id for item in service.search(PanelFilter(), 100).items][::-1]
    assert [histories[name].get("csf_samples_examined", 1) for name in order] == list(range(1, WRITERS + 1))
    later = order[order.index(answers[0]["panel_id"]) + 1 :]
    assert [histories[name]["csf_cytology"]["value"] for name in later] == ["positive"] * len(later)


def test_amendments_that_have_all_seen_the_same_version_do_not_overwrite_each_other(
    service: Service, together: Together
) -> None:
    first = service.submit(panel())

    def amend(number: int) -> Answer:
        try:
            made = service.amend_context(first.panel_id, {"symptom_duration_days": number}, first.etag)
        except ConflictError as error:
            return {"outcome": error.kind}
        return {"outcome": "created", "version": made.version}

    assert outcomes(together(amend)) == {"created": 1, "version_outdated": WRITERS - 1}
    assert len(service.versions(first.panel_id)) == 2

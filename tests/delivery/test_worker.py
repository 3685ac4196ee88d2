"""Events leave the outbox at least once, signed, in order, with tries over days; nothing is lost on the way."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from csfinterp.delivery import Destination, Worker
from csfinterp.delivery import worker as worker_module
from csfinterp.delivery.destinations import RETRY_S, SecretPlace
from csfinterp.delivery.webhooks import headers_of
from csfinterp.errors import ConflictError
from csfinterp.service import Service
from csfinterp.store import RaceError, Store, stamp
from csfinterp.store.outbox import DEAD, SENT, WAITING, Delivery, Subscription
from csfinterp.store.schema import events
from tests.delivery.conftest import ENVIRON, KEY, PNEUMO, Clock, Receiver, make_worker, status, submit, webhook
from tests.making import quantity

CELLS = quantity("csf_leukocytes", 21, "/uL")
DAYS = 86_400.0


# --- what is told ---


def test_a_version_is_told_with_ids_counts_and_a_link_and_no_patient(
    service: Service, worker: Worker, receiver: Receiver
) -> None:
    answer = submit(service)
    assert worker.send_due() == 1
    headers, body = receiver.got[0]
    told = json.loads(body)
    assert told == {
        "type": "panel.interpreted",
        "timestamp": "2026-03-02T08:00:00.000000Z",
        "data": {
            "panel_id": answer.panel_id, "version": 1, "status": "final", "reason": "posted", "critical_open": 0,
            "change": None,
            "url": f"https://csf.example.org/api/v1/panels/{answer.panel_id}/interpretation?version=1",
        },
    }  # fmt: skip
    assert headers["content-type"] == "application/json"
    assert not [word for word in ("MRN", "ACC-1", "21") if word.encode() in body.replace(answer.panel_id.encode(), b"")]


def test_corrections_cancellations_and_critical_calls_are_told(
    service: Service, worker: Worker, receiver: Receiver
) -> None:
    first = submit(service, CELLS, PNEUMO)
    submit(service, quantity("csf_leukocytes", 50, "/uL"))
    service.amend_context(first.panel_id, {"tumor": "solid"}, "*")
    service.reinterpret(first.panel_id, "2026.1")
    submit(service, {**CELLS, "status": "entered_in_error"}, partial=True)
    worker.send_due()
    assert receiver.told() == [
        ("panel.interpreted", 1, "final"), ("critical.found", 1, "final"),
        ("panel.corrected", 2, "corrected"), ("result.withdrawn", 2, "corrected"),
        ("critical.found", 2, "corrected"), ("critical.withdrawn", 2, "corrected"),
        ("panel.context_changed", 3, "corrected"), ("panel.reinterpreted", 4, "corrected"),
        ("panel.cancelled", 5, "cancelled"), ("result.withdrawn", 5, "cancelled"),
        ("critical.withdrawn", 5, "cancelled"),
    ]  # fmt: skip
    change = json.loads(receiver.got[2][1])["data"]["change"]
    assert (change["critical_new"], change["critical_withdrawn"]) == (1, 1)


def test_a_message_that_is_held_is_told_once_so_that_a_person_decides(
    service: Service, worker: Worker, receiver: Receiver
) -> None:
    first = submit(service)
    for _ in range(2):
        with pytest.raises(ConflictError):
            submit(service, specimen="ACC-1", patient="MRN-OTHER")
    worker.send_due()
    told = json.loads(receiver.got[1][1])
    assert len(receiver.got) == 2
    assert (told["type"], told["data"]["why"], told["data"]["panel_id"]) == (
        "message.held", "other_patient", first.panel_id,
    )  # fmt: skip
    assert b"MRN" not in receiver.got[1][1]


def test_what_was_stored_before_is_not_told_again(service: Service, worker: Worker, receiver: Receiver) -> None:
    submit(service)
    submit(service)
    assert worker.send_due() == 1
    assert worker.send_due() == 0


def test_a_destination_gets_the_events_that_it_wants(
    service: Service, store: Store, clock: Clock, receiver: Receiver
) -> None:
    wanted = webhook(receiver.url, events=("critical.found",))
    store.outbox.subscriptions = (Subscription(wanted.name, wanted.event_types),)
    submit(service, CELLS, PNEUMO)
    make_worker(store, clock, wanted).send_due()
    assert receiver.told() == [("critical.found", 1, "final")]


def test_the_whole_interpretation_is_sent_where_the_site_wants_it(
    service: Service, store: Store, clock: Clock, receiver: Receiver
) -> None:
    answer = submit(service)
    make_worker(store, clock, webhook(receiver.url, content="document")).send_due()
    assert json.loads(receiver.got[0][1])["data"]["interpretation"] == answer.document


def test_events_are_kept_where_nobody_listens_and_can_be_sent_later(
    service: Service, store: Store, worker: Worker, receiver: Receiver
) -> None:
    store.outbox.subscriptions = ()
    submit(service)
    assert worker.send_due() == 0
    assert store.outbox.replay("2026-03-02T08:00:00.000000Z", "ward", state=None) == 1
    assert worker.send_due() == 1


# --- signatures ---


def test_the_signature_is_that_of_standard_webhooks(service: Service, worker: Worker, receiver: Receiver) -> None:
    submit(service)
    worker.send_due()
    headers, body = receiver.got[0]
    assert Webhook(KEY).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body.replace(b"final", b"other"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body, {**headers, "webhook-id": "evt_other"})


def test_the_published_example_has_its_published_signature() -> None:
    """The test vector of the libraries of Standard Webhooks."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [key]) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_both_secrets_sign_while_one_replaces_the_other(
    service: Service, store: Store, clock: Clock, receiver: Receiver
) -> None:
    other = "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyMTI="
    places = (SecretPlace(env="NEW_SECRET"), SecretPlace(env="HOOK_SECRET"))
    environ = {**ENVIRON, "NEW_SECRET": other}
    submit(service)
    Worker(store, [webhook(receiver.url, secrets=places)], "", environ, clock).send_due()
    headers, body = receiver.got[0]
    for secret in (KEY, other):
        Webhook(secret).verify(body, headers)


# --- tries ---


def test_a_failure_is_tried_again_later_with_the_same_id_and_body(
    service: Service, worker: Worker, receiver: Receiver, clock: Clock, store: Store
) -> None:
    submit(service)
    receiver.answers = [status(500), status(503)]
    assert worker.send_due() == 1
    assert worker.send_due() == 0, "the next try waits"
    clock.forward(6.1)
    assert worker.send_due() == 1
    clock.forward(361)
    assert worker.send_due() == 1
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {store.outbox.listed(None, SENT, 9)[0].event.id}
    assert len({body for _, body in receiver.got}) == 1


def test_after_the_last_try_it_is_dead_and_can_be_replayed(
    service: Service, worker: Worker, receiver: Receiver, clock: Clock, store: Store
) -> None:
    submit(service)
    receiver.answers = [status(500)] * (len(RETRY_S) + 1)
    tries = 0
    for _ in range(20):
        tries += worker.send_due()
        clock.forward(2 * DAYS)
    assert tries == len(RETRY_S) + 1
    assert sum(RETRY_S) > 3 * DAYS, "tries go on over days"
    dead = store.outbox.listed("ward", DEAD, 9)
    assert [(one.tries, one.last_error) for one in dead] == [(tries, "HTTP 500")]
    assert store.outbox.replay(stamp(clock()), "ward") == 1
    assert worker.send_due() == 1
    assert store.outbox.counts() == {("ward", SENT): 1}


def test_gone_is_final(service: Service, worker: Worker, receiver: Receiver, store: Store) -> None:
    submit(service)
    receiver.answers = [status(410)]
    worker.send_due()
    assert store.outbox.counts() == {("ward", DEAD): 1}


def test_the_receiver_may_ask_for_a_pause(service: Service, worker: Worker, receiver: Receiver, clock: Clock) -> None:
    submit(service)
    receiver.answers = [status(429, Retry_After="600")]
    worker.send_due()
    clock.forward(599)
    assert worker.send_due() == 0
    clock.forward(2)
    assert worker.send_due() == 1


def test_a_redirect_is_not_followed(service: Service, worker: Worker, receiver: Receiver, store: Store) -> None:
    submit(service)
    receiver.answers = [status(307, Location=receiver.url)]
    worker.send_due()
    assert len(receiver.got) == 1
    assert store.outbox.listed(None, WAITING, 9)[0].last_error == "HTTP 307"


def _drip(handler: BaseHTTPRequestHandler) -> None:
    """One byte of a header at a time, for longer than anybody should wait."""
    try:
        for _ in range(100):
            handler.wfile.write(b"X")
            handler.wfile.flush()
            threading.Event().wait(0.1)
    except OSError:
        pass


def _endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(10_000):
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        pass


def _silence(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(("answer", "sent"), [(_drip, False), (_silence, False), (_endless, True)])
def test_a_receiver_that_drips_is_silent_or_never_ends_costs_little_time_and_memory(
    service: Service, store: Store, clock: Clock, receiver: Receiver,
    answer: Callable[[BaseHTTPRequestHandler], None], sent: bool,
) -> None:  # fmt: skip
    submit(service)
    receiver.answers = [answer]
    make_worker(store, clock, webhook(receiver.url, timeout_s=1.0)).send_due()
    assert store.outbox.counts() == {("ward", SENT if sent else WAITING): 1}


def test_versions_of_one_panel_arrive_in_order_though_the_first_needs_another_try(
    service: Service, worker: Worker, receiver: Receiver, clock: Clock
) -> None:
    submit(service)
    submit(service, quantity("csf_leukocytes", 22, "/uL"))
    submit(service, specimen="ACC-2")
    receiver.answers = [status(500)]
    worker.send_due()
    clock.forward(6.1)
    worker.send_due()
    panels = [json.loads(body)["data"] for _, body in receiver.got]
    mine = [one["version"] for one in panels if one["panel_id"] == panels[0]["panel_id"]]
    assert mine == [1, 1, 2]
    assert len(panels) == 4, "the other panel did not wait"


def test_events_added_later_still_go_in_the_order_of_the_versions(
    service: Service, store: Store, worker: Worker, receiver: Receiver, clock: Clock
) -> None:
    noted, store.outbox.subscriptions = store.outbox.subscriptions, ()
    submit(service)
    store.outbox.subscriptions = noted
    submit(service, quantity("csf_leukocytes", 22, "/uL"))
    assert store.outbox.replay(stamp(clock()), "ward", state=None) == 1
    worker.send_due()
    assert [version for _, version, _ in receiver.told()] == [1, 2]


def test_a_fault_of_ours_costs_one_try_and_stops_no_other(
    service: Service, store: Store, worker: Worker, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(service)
    submit(service, specimen="ACC-2")
    real, faults = worker_module.body_of, iter([True, False])
    monkeypatch.setattr(worker_module, "body_of", lambda *told: 1 / 0 if next(faults) else real(*told))
    worker.send_due()
    assert store.outbox.counts() == {("ward", SENT): 1, ("ward", WAITING): 1}
    assert store.outbox.listed(None, WAITING, 9)[0].last_error == "fault of csfinterp (ZeroDivisionError)"


def test_a_broken_destination_delays_no_other(service: Service, store: Store, receiver: Receiver) -> None:
    dead = webhook("http://127.0.0.1:9/", name="dead")
    alive = webhook(receiver.url)
    store.outbox.subscriptions = tuple(Subscription(one.name) for one in (dead, alive))
    submit(service)
    real = Worker(store, [dead, alive], "", ENVIRON)
    thread = threading.Thread(target=real.run)
    thread.start()
    for _ in range(100):
        if receiver.got:
            break
        threading.Event().wait(0.05)
    real.stop()
    thread.join()
    assert len(receiver.got) == 1
    assert store.outbox.counts() == {("dead", WAITING): 1, ("ward", SENT): 1}


# --- several workers, and those that die ---


def test_workers_share_the_work_and_send_nothing_twice(
    service: Service, store: Store, clock: Clock, hook: Destination, receiver: Receiver
) -> None:
    for number in range(30):
        submit(service, specimen=f"ACC-{number}")
    threads = [threading.Thread(target=make_worker(store, clock, hook).send_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(ids) == len(set(ids)) == 30
    assert store.outbox.counts() == {("ward", SENT): 30}


def test_what_a_worker_had_when_it_died_comes_back_after_its_lease(
    service: Service, store: Store, worker: Worker, clock: Clock, receiver: Receiver
) -> None:
    submit(service)
    leased = store.outbox.claim(["ward"], "died", stamp(clock()), "2026-03-02T08:00:30.000000Z", 9)
    assert len(leased) == 1
    assert worker.send_due() == 0
    clock.forward(31)
    assert worker.send_due() == 1
    store.outbox.failed(leased[0], "died", "late", stamp(clock()))
    assert store.outbox.counts() == {("ward", SENT): 1}, "who lost the lease decides nothing"


def test_no_event_without_its_version_and_no_version_without_its_event(
    service: Service, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.outbox, "write", _fail)
    monkeypatch.setattr("csfinterp.service.ATTEMPTS", 2)
    with pytest.raises(ConflictError):
        submit(service)
    monkeypatch.undo()
    answer = submit(service)
    assert (answer.version, answer.created) == (1, True)
    with store.engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(select(events.c.panel_id, events.c.version, events.c.type))]
    assert found == [(answer.panel_id, 1, "panel.interpreted")]


def _fail(*_: object) -> None:
    raise RaceError("the transaction breaks at its end")


def test_nothing_of_a_patient_or_a_secret_is_logged(
    service: Service, worker: Worker, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    submit(service)
    receiver.answers = [status(500)]
    worker.send_due()
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "delivery failed" in logged
    assert not [word for word in ("MRN", "ACC-1", KEY) if word in logged]


def test_old_notes_of_what_was_delivered_go_and_nothing_else(
    service: Service, store: Store, clock: Clock, receiver: Receiver
) -> None:
    hook = webhook(receiver.url, retry_s=())
    worker = make_worker(store, clock, hook, keep_days=30)
    submit(service)
    receiver.answers = [status(500)]
    assert worker.send_due() == 1
    submit(service, specimen="ACC-2")
    assert worker.send_due() == 1
    clock.forward(29 * 86400)
    submit(service, specimen="ACC-3")
    assert worker.tidy() == 0
    clock.forward(2 * 86400)
    assert worker.tidy() == 1
    left = [(one.state, one.event.type) for one in store.outbox.listed(None, None, 9)]
    assert left == [("waiting", "panel.interpreted"), ("dead", "panel.interpreted")]
    assert make_worker(store, clock, hook).tidy() == 0


def test_where_order_counts_an_old_version_never_follows_a_newer_one_whose_note_is_old(
    store: Store, service: Service, clock: Clock
) -> None:
    """HL7: of each panel the note of the newest version that was sent stays, as the mark of how far it got."""
    submit(service)
    submit(service, quantity("csf_leukocytes", 5, "/uL"))
    outbox, now, later = store.outbox, stamp(clock()), stamp(clock() + timedelta(days=400))

    def send_due() -> list[Delivery]:
        due = outbox.claim(["ward"], "w", now, later, 9)
        for one in due:
            outbox.sent(one, "w", now)
        return due

    [first] = send_due()
    [second] = send_due()
    assert (outbox.prune(later, ["ward"]), outbox.prune(later, ["ward"])) == (1, 0)
    assert [one.event.version for one in outbox.listed("ward", None, 9)] == [second.event.version]
    assert outbox.replay(now, "ward", None, [first.event.id]) == 1
    [again] = outbox.claim(["ward"], "w", now, later, 9)
    assert again.event.version == 1 and outbox.newer_is_there(again)

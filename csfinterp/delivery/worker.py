"""The worker: for each destination a thread that claims what is due, tries it, and writes down what became of it."""

from __future__ import annotations

import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from csfinterp.changes import change
from csfinterp.delivery.addresses import DeliveryError
from csfinterp.delivery.destinations import HL7_MLLP, WEBHOOK, Destination
from csfinterp.delivery.sending import check_acknowledgment, post, send_mllp
from csfinterp.delivery.webhooks import body_of, headers_of
from csfinterp.errors import CsfinterpError
from csfinterp.formats import hl7_v2
from csfinterp.formats.hl7_changes import with_changes
from csfinterp.formats.report_changes import told
from csfinterp.store import EventRecord, Store, stamp
from csfinterp.store.outbox import Delivery

# So many deliveries are claimed at once; a worker that dies holds them until their lease ends.
CLAIMED = 4
POLL_S = 1.0
TIDY_S = 3600.0
_SPARE_S = 2.0
_JITTER = 0.2
log = logging.getLogger(__name__)


class Worker:
    """Sends what the outbox holds for these destinations. Several workers may run on one database.

    `base_url`: how receivers reach this service. `keep_days`: so long notes of what was delivered are kept; 0: for
    ever. Raises SettingsError if a secret cannot be read.
    """

    def __init__(
        self, store: Store, destinations: Iterable[Destination], base_url: str = "",
        environ: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep_days: int = 0,
    ) -> None:  # fmt: skip
        self._keep_days = keep_days
        self._store, self._outbox, self._base_url, self._clock = store, store.outbox, base_url.rstrip("/"), clock
        self._senders = {one: self._sender(one, one.keys(environ)) for one in destinations}
        self._stopping = threading.Event()
        self.name = f"{socket.gethostname()}-{os.getpid()}-{random.getrandbits(32):08x}"

    def run(self) -> None:
        """Works until `stop`; a slow or broken receiver delays no other."""
        threads = [threading.Thread(target=self._work, args=(one,), name=one.name) for one in self._senders]
        threads.append(threading.Thread(target=self._tidy_often, name="tidy"))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._outbox.release(self.name)

    def stop(self) -> None:
        """Lets every thread finish the try that it is in."""
        self._stopping.set()

    def send_due(self) -> int:
        """One round: everything that is due now is tried; returns how many tries were made."""
        tries = 0
        for destination in self._senders:
            while made := self._round(destination):
                tries += made
        return tries

    def tidy(self) -> int:
        """Removes old notes of what was delivered; returns how many. Never what waits or is dead."""
        if not self._keep_days:
            return 0
        before = stamp(self._clock() - timedelta(days=self._keep_days))
        ordered = [one.name for one in self._senders if one.kind != WEBHOOK]
        removed = 0
        while not self._stopping.is_set() and (count := self._outbox.prune(before, ordered)):
            removed += count
        return removed

    def _tidy_often(self) -> None:
        while not self._stopping.is_set():
            try:
                if removed := self.tidy():
                    log.info("old notes of deliveries removed", extra={"count": removed})
            except CsfinterpError as error:
                log.warning("outbox not reachable", extra={"error": type(error).__name__})
            self._stopping.wait(TIDY_S)

    def _work(self, destination: Destination) -> None:
        while not self._stopping.is_set():
            try:
                if self._round(destination):
                    continue
            except Exception as error:  # a busy or absent database: what is leased comes back by itself
                log.warning("outbox not reachable", extra={"destination": destination.name,
                                                           "error": type(error).__name__})  # fmt: skip
            self._stopping.wait(POLL_S)

    def _round(self, destination: Destination) -> int:
        now = self._clock()
        until = now + timedelta(seconds=CLAIMED * (destination.timeout_s + _SPARE_S))
        claimed = self._outbox.claim([destination.name], self.name, stamp(now), stamp(until), CLAIMED)
        for delivery in claimed:
            # The last seconds of a lease are too short for a try: somebody else may have it by then.
            if self._stopping.is_set() or self._clock() + timedelta(seconds=destination.timeout_s) > until:
                break
            self._try(destination, delivery)
        return len(claimed)

    def _try(self, destination: Destination, delivery: Delivery) -> None:
        about = {"destination": destination.name, "event": delivery.event.id, "type": delivery.event.type,
                 "tries": delivery.tries + 1}  # fmt: skip
        try:
            self._send(destination, delivery)
        except DeliveryError as error:
            self._failed(destination, delivery, error)
            log.warning("delivery failed", extra={**about, "error": str(error)})
            return
        self._outbox.sent(delivery, self.name, stamp(self._clock()))
        log.info("delivered", extra=about)

    def _send(self, destination: Destination, delivery: Delivery) -> None:
        """One try. A fault of ours costs this delivery a try and stops no other."""
        if destination.kind != WEBHOOK and self._outbox.newer_is_there(delivery):
            # A laboratory system would file the old values over the corrected ones.
            raise DeliveryError("a newer version was sent before", final=True)
        try:
            self._senders[destination](delivery.event)
        except CsfinterpError:
            raise
        except Exception as error:
            raise DeliveryError(f"fault of csfinterp ({type(error).__name__})") from None

    def _failed(self, destination: Destination, delivery: Delivery, error: DeliveryError) -> None:
        now = self._clock()
        if error.final or delivery.tries >= len(destination.retry_s):
            self._outbox.give_up(delivery, self.name, str(error), stamp(now))
            return
        wait = destination.retry_s[delivery.tries] * (1 + random.random() * _JITTER)
        due = now + timedelta(seconds=max(wait, error.retry_after or 0))
        self._outbox.failed(delivery, self.name, str(error), stamp(due))

    def _sender(self, destination: Destination, keys: tuple[bytes, ...]) -> Callable[[EventRecord], None]:
        def webhook(event: EventRecord) -> None:
            document = self._document(event) if destination.content == "document" else None
            body = body_of(event, self._base_url, document)
            signed = headers_of(event.id, int(time.time()), body, keys)
            post(destination, body, {"Content-Type": "application/json", **signed})

        def hl7(event: EventRecord) -> None:
            message = self._message(destination, event)
            if destination.kind == HL7_MLLP:
                answer = send_mllp(destination, message)
            else:
                answer = post(destination, message, {"Content-Type": "application/hl7-v2"})
            check_acknowledgment(answer)

        return webhook if destination.kind == WEBHOOK else hl7

    def _message(self, destination: Destination, event: EventRecord) -> bytes:
        """The version as ORU^R01; with what it deletes of the version before it, which was sent before it."""
        after = self._document(event)
        text = hl7_v2.write(
            after, receiving_application=destination.application, receiving_facility=destination.facility
        )
        if event.version > 1:
            before = self._document(event, event.version - 1)
            text = with_changes(text, before, after, told(change(before, after)))
        return text.encode()

    def _document(self, event: EventRecord, version: int | None = None) -> dict[str, object]:
        record = self._store.version(event.panel_id, version or event.version)
        if record is None:
            raise DeliveryError("the version of this event is not stored", final=True)
        document: dict[str, object] = json.loads(record.interpretation)
        return document

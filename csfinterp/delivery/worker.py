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

from csfinterp.delivery.addresses import DeliveryError
from csfinterp.delivery.destinations import HL7_MLLP, WEBHOOK, Destination
from csfinterp.delivery.sending import post, send_mllp
from csfinterp.delivery.webhooks import body_of, headers_of
from csfinterp.errors import CsfinterpError
from csfinterp.formats import FORMATS
from csfinterp.store import EventRecord, Store, stamp
from csfinterp.store.outbox import Delivery

# So many deliveries are claimed at once; a worker that dies holds them until their lease ends.
CLAIMED = 4
POLL_S = 1.0
_SPARE_S = 2.0
_JITTER = 0.2
_ACCEPTED, _REFUSED = ("AA", "CA"), ("AE", "AR", "CE", "CR")
log = logging.getLogger(__name__)


class Worker:
    """Sends what the outbox holds for these destinations. Several workers may run on one database.

    `base_url`: how receivers reach this service. Raises SettingsError if a secret cannot be read.
    """

    def __init__(
        self, store: Store, destinations: Iterable[Destination], base_url: str = "",
        environ: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._store, self._outbox, self._base_url, self._clock = store, store.outbox, base_url.rstrip("/"), clock
        self._senders = {one: self._sender(one, one.keys(environ)) for one in destinations}
        self._stopping = threading.Event()
        self.name = f"{socket.gethostname()}-{os.getpid()}-{random.getrandbits(32):08x}"

    def run(self) -> None:
        """Works until `stop`; a slow or broken receiver delays no other."""
        threads = [threading.Thread(target=self._work, args=(one,), name=one.name) for one in self._senders]
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

    def _work(self, destination: Destination) -> None:
        while not self._stopping.is_set():
            try:
                if self._round(destination):
                    continue
            except CsfinterpError as error:  # a busy or absent database: what is leased comes back by itself
                log.warning("outbox not reachable", extra={"destination": destination.name, "error": str(error)})
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
            self._senders[destination](delivery.event)
        except DeliveryError as error:
            self._failed(destination, delivery, error)
            log.warning("delivery failed", extra={**about, "error": str(error)})
            return
        self._outbox.sent(delivery, self.name, stamp(self._clock()))
        log.info("delivered", extra=about)

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
            write = FORMATS["hl7"].write
            if write is None:
                raise DeliveryError("this version writes no HL7 v2", final=True)
            text = write(self._document(event))
            message = text if isinstance(text, bytes) else text.encode()
            if destination.kind == HL7_MLLP:
                answer = send_mllp(destination, message)
            else:
                answer = post(destination, message, {"Content-Type": "application/hl7-v2"})
            _check_ack(answer)

        return webhook if destination.kind == WEBHOOK else hl7

    def _document(self, event: EventRecord) -> dict[str, object]:
        record = self._store.version(event.panel_id, event.version)
        if record is None:
            raise DeliveryError("the version of this event is not stored", final=True)
        document: dict[str, object] = json.loads(record.interpretation)
        return document


def _check_ack(answer: bytes) -> None:
    """Raises DeliveryError unless MSA-1 of the answer accepts the message."""
    for line in answer.replace(b"\n", b"\r").split(b"\r"):
        if line.startswith(b"MSA") and len(line) > 4:
            code = line[4:].split(line[3:4])[0].decode("ascii", "replace")
            if code in _ACCEPTED:
                return
            raise DeliveryError(
                f"the receiver answered {code if code in ('AE', 'AR', 'CE', 'CR') else 'no known code'}"
            )
    raise DeliveryError("the answer holds no MSA segment")

"""The listener is killed (SIGKILL) again and again under eight senders: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from csfinterp.store import open_store
from csfinterp.store.schema import hl7_messages, panel_versions, panels
from tests.mllp.conftest import Listener, Sender
from tests.mllp.messages import framed, oru

MESSAGES, CONNECTIONS, KILLS = 2000, 8, 10


@dataclass(frozen=True)
class Sent:
    """One message of the traffic: which lactate of which specimen it says."""

    control_id: str
    specimen: str
    lactate: str

    @property
    def message(self) -> bytes:
        return oru(self.control_id, self.specimen, lactate=self.lactate)


@dataclass
class Lane:
    """What one connection sends, in order, and what was acknowledged. A specimen has all its messages on one lane."""

    messages: list[Sent]
    acknowledged: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)


def traffic(draw: random.Random) -> list[Lane]:
    """2,000 messages: a third repeats one sent before byte by byte, a tenth corrects a specimen of before."""
    lanes = [Lane([]) for _ in range(CONNECTIONS)]
    for lane_number, lane in enumerate(lanes):
        newest: list[Sent] = []
        for number in range(MESSAGES // CONNECTIONS):
            kind = draw.random() if newest else 1.0
            place = draw.randrange(len(newest)) if newest else 0
            control_id = f"K{lane_number}-{number}"
            if kind < 1 / 3:
                lane.messages.append(draw.choice(lane.messages))
            elif kind < 1 / 3 + 1 / 10:
                newest[place] = Sent(control_id, newest[place].specimen, f"{number + 10}.5")
                lane.messages.append(newest[place])
            else:
                newest.append(Sent(control_id, f"ACC-{control_id}", "2.1"))
                lane.messages.append(newest[-1])
    return lanes


class Restarted:
    """A listener that comes back on the same port and database after each kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listener = Listener(folder)
        self.port = self.listener.port

    def kill(self) -> None:
        assert self.listener.stop(signal.SIGKILL) == -signal.SIGKILL
        self.listener = Listener(self.folder, self.port)


def send_all(lane: Lane, port: int, done: threading.Event) -> None:
    """As an interface engine does: a message is sent again until it is answered, then the next one."""
    sender: Sender | None = None
    for sent in lane.messages:
        while not done.is_set():
            try:
                sender = sender or Sender(port, timeout=30)
                sender.write(framed(sent.message))
                answer = sender.answer()
            except (OSError, EOFError):
                if sender is not None:
                    sender.socket.close()
                sender = None
                time.sleep(0.05)
                continue
            assert answer.control_id == sent.control_id
            if answer.code == "AA":
                lane.acknowledged[sent.control_id] += 1
                break
            lane.refused.append(answer.text)
            time.sleep(0.05)
    if sender is not None:
        sender.socket.close()


def test_every_acknowledged_message_is_stored_once_and_no_version_is_missing(tmp_path: Path) -> None:
    lanes, restarted, done = traffic(random.Random(20260301)), Restarted(tmp_path), threading.Event()
    threads = [threading.Thread(target=send_all, args=(lane, restarted.port, done)) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        for kill in range(1, KILLS + 1):
            while sum(lane.acknowledged.total() for lane in lanes) < MESSAGES * kill / (KILLS + 2):
                assert any(thread.is_alive() for thread in threads)
                time.sleep(0.01)
            restarted.kill()
        for thread in threads:
            thread.join(240)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        done.set()
        assert restarted.listener.stop() == 0

    assert [text for lane in lanes for text in lane.refused if "207" not in text] == []
    assert sum(lane.acknowledged.total() for lane in lanes) == MESSAGES
    stored, transcripts = _stored(restarted.listener.database_url)
    for lane in lanes:
        expected: dict[str, list[str]] = {}
        for sent in dict.fromkeys(lane.messages):
            expected.setdefault(sent.specimen, []).append(sent.lactate)
        for specimen, lactates in expected.items():
            assert stored.pop(specimen) == lactates, "one version for each message, in the order they were sent"
    assert stored == {}
    distinct = {sent.control_id for lane in lanes for sent in lane.messages}
    assert transcripts == {control_id: ["accepted"] for control_id in distinct}


def _stored(database_url: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """specimen -> lactate of each version in order; control id -> states of the messages kept."""
    store = open_store(database_url, migrate=False)
    versions: dict[str, list[str]] = {}
    states: dict[str, list[str]] = {}
    with store.engine.connect() as connection:
        query = select(panels.c.specimen_id, panel_versions.c.version, panel_versions.c.panel_document).join(
            panel_versions, panels.c.id == panel_versions.c.panel_id
        )
        for specimen, version, document in connection.execute(query.order_by(panels.c.id, panel_versions.c.version)):
            found = versions.setdefault(specimen, [])
            found.append(str(json.loads(document)["observations"][2]["value"]))
            assert version == len(found)
        for control_id, state in connection.execute(select(hl7_messages.c.control_id, hl7_messages.c.state)):
            states.setdefault(control_id, []).append(state)
    store.close()
    return versions, states

"""Real receivers on loopback, a real database, and a service whose versions are noted for them."""

from __future__ import annotations

import base64
import ipaddress
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from csfinterp.delivery import Destination, Worker
from csfinterp.delivery.destinations import WEBHOOK, SecretPlace
from csfinterp.formats import panel_json
from csfinterp.service import Service, Submission
from csfinterp.settings import Settings
from csfinterp.store import Store, open_store
from csfinterp.store.outbox import Subscription
from tests.making import Document, panel, quantity, word

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
KEY = base64.b64encode(b"k" * 32).decode()
ENVIRON = {"HOOK_SECRET": f"whsec_{KEY}"}
PNEUMO = word("csf_gram_stain", "positive", organism="Streptococcus pneumoniae", organism_class="bacterial")


class Receiver:
    """A web server that keeps what it gets and answers as it is told, request by request; then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): text for name, text in self.headers.items()}, body))
                (receiver.answers.pop(0) if receiver.answers else status(204))(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def told(self) -> list[tuple[str, int, str]]:
        """(type, version, status) of each event, in the order of arrival."""
        bodies = [json.loads(body) for _, body in self.got]
        return [(one["type"], one["data"]["version"], one["data"]["status"]) for one in bodies]


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, text in headers.items():
            handler.send_header(name.replace("_", "-"), text)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def hook(receiver: Receiver) -> Destination:
    return webhook(receiver.url)


def webhook(url: str, name: str = "ward", **more: Any) -> Destination:
    """A webhook on this machine that waits at most two seconds."""
    chosen = {"secrets": (SecretPlace(env="HOOK_SECRET"),), "networks": (LOOPBACK,), "timeout_s": 2.0, **more}
    return Destination(name, WEBHOOK, url, **chosen)


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'csfinterp.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("delivery")
    return Settings.load({"CSFINTERP_DATA_FOLDER": str(folder), "CSFINTERP_ALLOW_DRAFT": "true"})


@pytest.fixture
def service(settings: Settings, store: Store, hook: Destination, clock: Clock) -> Service:
    store.outbox.subscriptions = (Subscription(hook.name, hook.event_types),)
    return Service(settings, store, clock=clock)


@pytest.fixture
def worker(store: Store, hook: Destination, clock: Clock) -> Worker:
    return make_worker(store, clock, hook)


def make_worker(store: Store, clock: Clock, *destinations: Destination, **more: Any) -> Worker:
    return Worker(store, destinations, "https://csf.example.org", ENVIRON, clock, **more)


def submit(
    service: Service,
    *observations: Document,
    specimen: str = "ACC-1",
    patient: str | None = None,
    partial: bool = False,
) -> Submission:
    sent = panel(*(observations or (quantity("csf_leukocytes", 21, "/uL"),)), specimen={"id": specimen})
    sent["source"] = {"system": "LIS-TEST"}
    sent["patient"]["id"] = patient or f"MRN-{specimen}"
    return service.submit(panel_json.read(json.dumps(sent).encode()), partial=partial)

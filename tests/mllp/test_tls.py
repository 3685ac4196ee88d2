"""TLS: with a certificate made for this test; with a client CA only senders that it signed."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from tests.mllp.conftest import Start
from tests.mllp.messages import oru


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """CSFINTERP_ settings of the listener's certificate."""
    certificate, key = tmp_path / "listener.pem", tmp_path / "listener.key"
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return {"MLLP_CERTIFICATE": str(certificate), "MLLP_KEY": str(key)}


def client(authority: trustme.CA, *, certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if certificate:
        authority.issue_cert("lis@example.org").configure_cert(context)
    return context


def test_messages_travel_in_tls_and_only_in_tls(start: Start, authority: trustme.CA, files: dict[str, str]) -> None:
    listener = start(**files)
    with listener.sender(client(authority)) as sender:
        assert sender.ask(oru("TLS-1")).code == "AA"
        assert sender.ask(oru("TLS-2")).code == "AA"
    with listener.sender() as plain, pytest.raises((EOFError, ConnectionError)):
        plain.ask(oru("TLS-3"))
    with pytest.raises(ssl.SSLCertVerificationError):
        listener.sender(ssl.create_default_context())
    assert listener.stop() == 0


def test_with_a_client_ca_a_sender_must_show_its_certificate(
    start: Start, authority: trustme.CA, files: dict[str, str], tmp_path: Path
) -> None:
    listener = start(**files, MLLP_CLIENT_CA=str(tmp_path / "ca.pem"))
    with listener.sender(client(authority, certificate=True)) as known:
        assert known.ask(oru("TLS-4")).code == "AA"
    with pytest.raises((EOFError, OSError)), listener.sender(client(authority)) as unknown:
        unknown.ask(oru("TLS-5"))


def test_connections_count_before_their_handshake_and_slow_ones_are_cut_off(
    start: Start, authority: trustme.CA, files: dict[str, str]
) -> None:
    """Who opens connections and never speaks TLS takes places of the cap, and only for the bounded time."""
    listener = start(**files, MLLP_CONNECTIONS="2", MLLP_TIMEOUT="2")
    began = time.monotonic()
    silent, slow = listener.sender(), listener.sender()
    slow.write(b"\x16\x03\x01")
    with pytest.raises(OSError), listener.sender(client(authority)):
        raise AssertionError("a third connection was let in")
    assert silent.closed() and slow.closed()
    assert 1 < time.monotonic() - began < 10
    with listener.sender(client(authority)) as sender:
        assert sender.ask(oru("TLS-6")).code == "AA"


def test_many_begin_at_once_and_a_large_message_passes(
    start: Start, authority: trustme.CA, files: dict[str, str]
) -> None:
    listener = start(**files)

    def send(number: int) -> str:
        with listener.sender(client(authority)) as sender:
            note = "NTE|1||" + "x" * (2_000_000 if number == 0 else 10) + "\r"
            return sender.ask(oru(f"TLS-M{number}") + note.encode()).code

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(send, range(24))) == ["AA"] * 24


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"MLLP_CERTIFICATE": "/no/such.pem"}, "TLS files"),
        ({"MLLP_KEY": "/no/such.key"}, "CSFINTERP_MLLP_CERTIFICATE"),
        ({"MLLP_BIND": "203.0.113.1:2575"}, "Cannot listen"),
        ({"MLLP_BIND": "2575"}, "CSFINTERP_MLLP_BIND"),
        ({"HL7_PROCESSING_IDS": "prod"}, "CSFINTERP_HL7_PROCESSING_IDS"),
        ({"DATABASE_URL": "mysql://x"}, "CSFINTERP_DATABASE_URL"),
    ],
)
def test_a_start_that_cannot_be_ends_in_one_sentence(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    values = {"DATA_FOLDER": str(tmp_path), "ALLOW_DRAFT": "true"} | settings
    done = subprocess.run(
        [sys.executable, "-m", "csfinterp", "mllp"], capture_output=True, text=True, timeout=60,
        env={f"CSFINTERP_{name}": value for name, value in values.items()},
    )  # fmt: skip
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr

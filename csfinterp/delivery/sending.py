"""One try: a POST over HTTP or a message over MLLP, with limits of time and size, without redirects and proxies."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from csfinterp.delivery.addresses import DeliveryError, connect, shake_hands, tls_around
from csfinterp.delivery.destinations import HL7_MLLP, Destination

MAX_ANSWER_BYTES = 65_536
LONGEST_WAIT_S = 86_400.0
_GONE = 410
_ACCEPTED, _REFUSED = ("AA", "CA"), ("AE", "AR", "CE", "CR")
START, END = b"\x0b", b"\x1c\r"


def post(destination: Destination, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The first bytes of the answer to a POST that was accepted (2xx). Raises DeliveryError for everything else."""
    parts = urlsplit(destination.url or "")
    secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _connected(destination, host, port, secure=secure) as link:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = link
        default = 443 if secure else 80
        named = f"[{host}]" if ":" in host else host
        try:
            connection.request("POST", path, body, {
                "Host": named if port == default else f"{named}:{port}", "User-Agent": "csfinterp", **headers,
            })  # fmt: skip
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeliveryError(f"no answer ({type(error).__name__})") from None
        if not 200 <= answer.status < 300:
            wait = _retry_after(answer.headers.get("Retry-After"))
            raise DeliveryError(f"HTTP {answer.status}", retry_after=wait, final=answer.status == _GONE)
        # Accepted is accepted, also if the rest of the answer never comes.
        with suppress(OSError, http.client.HTTPException):
            return answer.read(MAX_ANSWER_BYTES)
    return b""


def send_mllp(destination: Destination, message: bytes) -> bytes:
    """The answer to one framed HL7 v2 message. Raises DeliveryError."""
    host, port = destination.host or "", destination.port or 0
    with _connected(destination, host, port, secure=destination.tls) as link:
        try:
            link.sendall(START + message + END)
            return _framed(link.recv)
        except OSError as error:
            raise DeliveryError(f"no answer ({type(error).__name__})") from None


def check_acknowledgment(answer: bytes) -> None:
    """Raises DeliveryError unless MSA-1 of the answer accepts the message."""
    for line in answer.replace(b"\n", b"\r").split(b"\r"):
        if line.startswith(b"MSA") and len(line) > 4:
            code = line[4:].split(line[3:4])[0].decode("ascii", "replace")
            if code in _ACCEPTED:
                return
            said = code if code in _REFUSED else "no known code"
            raise DeliveryError(f"the receiver answered {said}")
    raise DeliveryError("the answer holds no MSA segment")


def _framed(receive: Callable[[int], bytes]) -> bytes:
    found = b""
    while END not in found:
        more = receive(4096)
        if not more or len(found) > MAX_ANSWER_BYTES:
            raise DeliveryError("the ACK is too long" if more else "no ACK before the connection ended")
        found += more
    return found.partition(END)[0].rpartition(START)[2]


@contextmanager
def _connected(destination: Destination, host: str, port: int, *, secure: bool) -> Iterator[socket.socket]:
    """A checked connection that is cut when the time of the whole try is over, however slowly the other side drips.

    Without TLS: HTTP only to this machine, MLLP also in the networks that the site lists.
    """
    limit, mllp = destination.timeout_s, destination.kind == HL7_MLLP
    plain = None if secure else lambda address: mllp or address.is_loopback
    links: list[socket.socket] = [connect(host, port, destination.networks, limit, plain)]
    timer = threading.Timer(limit, lambda: _cut(links[-1]))
    timer.daemon = True
    timer.start()
    try:
        if secure:
            inner = tls_around(links[0], host, destination.ca_file)
            links.append(inner)
            shake_hands(inner)
        yield links[-1]
    finally:
        timer.cancel()
        for link in links:
            link.close()


def _cut(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


def _retry_after(text: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, at most a day; None if it is absent or unreadable."""
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdecimal() else _until(text)
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def _until(text: str) -> float:
    moment = parsedate_to_datetime(text)
    return (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()

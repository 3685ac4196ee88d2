"""The listener: many connections, several messages on each, every answer in order and only when it is durable.

Own code on asyncio instead of python-hl7's server: that one ends a connection at the stream's limit (64 KiB), at bytes
before a frame and at text that it cannot decode, and it bounds neither idle nor slow senders.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import signal
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from csfinterp.acting import Act, begin
from csfinterp.errors import CsfinterpError
from csfinterp.mllp.frames import END, START, Frame, FrameReader

PIECE_BYTES = 65_536
# A peer that sends this much and never a 0x0B does not speak MLLP.
NOISE_BYTES = 65_536
LINGER_SECONDS = 2.0
# Who stores what comes in here: a service, as HL7 names no account.
SERVICE, WHAT = "service:mllp", "hl7.mllp"
HANDSHAKE_SECONDS = 10.0
log = logging.getLogger(__name__)


class ListenError(CsfinterpError):
    """The listener cannot start: the address, the certificate or the key; the message says which."""


class Receiving(Protocol):
    """What the listener asks of the hall: each gives the answers to send, and none raises."""

    def receive(self, data: bytes) -> tuple[bytes, ...]:
        """Store a message and answer it."""

    def too_large(self, head: bytes, size: int) -> tuple[bytes, ...]:
        """The answer to a message over the limit, of which only the head was kept."""

    def unfinished(self, head: bytes, seconds: float) -> tuple[bytes, ...]:
        """The answer to a message whose end did not come."""

    def unframed(self) -> tuple[bytes, ...]:
        """The answer to bytes without a frame."""


@dataclass(frozen=True)
class Limits:
    """What one sender may take up. `idle`: seconds without a message; `message`: seconds from 0x0B to 0x1C 0x0D, and
    for taking an answer; `grace`: seconds that messages under way have when the listener stops."""

    max_bytes: int
    connections: int
    threads: int
    idle: float
    message: float
    grace: float


class Listener:
    """One listening address. Blocking calls run in `limits.threads` threads; a connection has one message under way."""

    def __init__(self, receiving: Receiving, limits: Limits) -> None:
        self._receiving, self._limits = receiving, limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="mllp")
        self._talks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more messages; those read are answered."""
        self._stopping.set()

    async def run(self, host: str, port: int, tls: ssl.SSLContext | None, ready: Callable[[int], None]) -> None:
        """Listens until `stop`; `ready` is called with the port once senders may connect. Raises ListenError."""

        async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._talk(reader, writer, tls)

        try:  # TLS begins in `_talk`: asyncio's own would not count a connection before its handshake has ended
            backlog = max(100, self._limits.connections)
            server = await asyncio.start_server(begin, host, port, limit=PIECE_BYTES, backlog=backlog)
        except OSError as error:
            raise ListenError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from None
        ready(server.sockets[0].getsockname()[1])
        await self._stopping.wait()
        server.close()
        if self._talks:
            _, late = await asyncio.wait(self._talks, timeout=self._limits.grace)
            for talk in late:
                talk.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext | None
    ) -> None:
        task = asyncio.current_task()
        if task is None or self._stopping.is_set() or len(self._talks) >= self._limits.connections:
            log.warning("connection refused", extra={"connections": len(self._talks)})
            writer.transport.abort()
            return
        self._talks.add(task)
        try:
            if tls is None or await self._encrypted(writer, tls):
                await self._converse(reader, writer)
        finally:
            self._talks.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Conversation(self._receiving, self._limits, self._pool, self._stopping, reader, writer).run()
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            log.info("connection lost", extra={"error": type(error).__name__})
        finally:
            await _close(reader, writer)

    async def _encrypted(self, writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> bool:
        """Begins TLS; False if the peer does not manage it in time. The connection counts from its first byte."""
        try:
            await writer.start_tls(tls, ssl_handshake_timeout=min(HANDSHAKE_SECONDS, self._limits.message))
        except (OSError, TimeoutError) as error:
            log.info("no TLS handshake", extra={"error": type(error).__name__})
            writer.transport.abort()
            return False
        return True


class Conversation:
    """One connection from its first byte to its close."""

    def __init__(
        self, receiving: Receiving, limits: Limits, pool: ThreadPoolExecutor, stopping: asyncio.Event,
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        self._receiving, self._limits, self._pool, self._stopping = receiving, limits, pool, stopping
        self._reader, self._writer = reader, writer
        self._frames = FrameReader(limits.max_bytes)

    async def run(self) -> None:
        """Reads and answers until the sender goes, stays silent, or the listener stops."""
        self._stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await self._run()
        finally:
            self._stop.cancel()

    async def _run(self) -> None:
        now, frames = asyncio.get_running_loop().time, self._frames
        began = now()
        while True:
            inside = frames.inside
            piece = await self._piece(began + (self._limits.message if inside else self._limits.idle) - now())
            if piece is None:
                await self._give_up()
                return
            ended = frames.feed(piece)
            for frame in ended:
                await self._answer(await self._judge(frame))
            if not piece or (self._stopping.is_set() and not frames.inside):
                return
            if frames.noise > NOISE_BYTES:
                await self._give_up()
                return
            # A message's time runs from its first byte, so that a byte a minute does not keep the connection.
            if ended or frames.inside != inside:
                began = now()

    async def _piece(self, seconds: float) -> bytes | None:
        """The next bytes; empty at the sender's end or when the listener stops, None when the time is over."""
        reading = asyncio.ensure_future(self._reader.read(PIECE_BYTES))
        try:
            await asyncio.wait((reading, self._stop), timeout=max(seconds, 0), return_when="FIRST_COMPLETED")
            return reading.result() if reading.done() else b"" if self._stop.done() else None
        finally:
            reading.cancel()

    async def _judge(self, frame: Frame) -> tuple[bytes, ...]:
        if frame.too_large:
            return self._receiving.too_large(frame.data, frame.size)
        peer = self._writer.get_extra_info("peername") or ("unknown",)
        begin(Act(SERVICE, WHAT, ("laboratory",), str(peer[0])))
        receive = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, receive, self._receiving.receive, frame.data)

    async def _give_up(self) -> None:
        """Say why to a sender who would otherwise wait for an answer that cannot come."""
        if self._frames.inside:
            await self._answer(self._receiving.unfinished(self._frames.begun, self._limits.message))
        elif self._frames.noise:
            await self._answer(self._receiving.unframed())

    async def _answer(self, messages: tuple[bytes, ...]) -> None:
        self._writer.write(b"".join(START + message + END for message in messages))
        async with asyncio.timeout(self._limits.message):
            await self._writer.drain()


async def _close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close in order: a socket closed with bytes unread resets, and its peer may lose the last answer by that."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            while await reader.read(PIECE_BYTES):
                pass
    except (OSError, TimeoutError):
        pass
    writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.wait_closed()


def tls_context(certificate: Path, key: Path | None, client_ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer with the certificate chain (and key) in PEM files; with `client_ca` senders must show theirs.

    Raises ListenError.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise ListenError(
            f"The TLS files cannot be used ({reason}); give PEM files that can be read by CSFINTERP_MLLP_CERTIFICATE,"
            " CSFINTERP_MLLP_KEY and CSFINTERP_MLLP_CLIENT_CA."
        ) from None
    return context


def serve(
    receiving: Receiving, limits: Limits, host: str, port: int, tls: ssl.SSLContext | None,
    ready: Callable[[int], None],
) -> None:  # fmt: skip
    """Runs a listener until SIGTERM or SIGINT. Raises ListenError."""

    async def run() -> None:
        listener = Listener(receiving, limits)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, listener.stop)
        await listener.run(host, port, tls, ready)

    asyncio.run(run())

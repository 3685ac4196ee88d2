"""MLLP frames: bytes arriving in any pieces -> whole messages. No sockets here.

A message stands between 0x0B and 0x1C 0x0D. There is no length and no checksum, so a frame ends only where both end
bytes stand: a 0x1C alone is content, else a frame cut by a slow line could pass for a whole message.
"""

from __future__ import annotations

from dataclasses import dataclass

START, END = b"\x0b", b"\x1c\r"
# Of a message that is too large, what is kept: enough for its MSH, whose control id the answer repeats.
HEAD_BYTES = 4096
# Senders put these between frames; they are no sign of a sender without frames.
_BLANK = b"\r\n\0 "


@dataclass(frozen=True)
class Frame:
    """What stood between the two ends: `size` bytes. `data` is the message; only its head if it was `too_large`."""

    data: bytes
    size: int
    too_large: bool


class FrameReader:
    """Cuts a stream into frames; holds at most `max_bytes` and one piece in memory.

    A 0x0B within a frame starts a new one: the sender broke off the frame before, which was never acknowledged and
    will come again.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._dropped = 0
        self.inside = False
        self.noise = 0

    def feed(self, piece: bytes) -> list[Frame]:
        """The frames that end within this piece, in order."""
        self._buffer += piece
        frames: list[Frame] = []
        while self._enter():
            end = self._buffer.find(END, self._scanned)
            again = self._buffer.find(START, self._scanned, len(self._buffer) if end < 0 else end)
            if again >= 0:
                self._skip(again)
                continue
            if end < 0:
                self._scanned = max(len(self._buffer) - 1, 0)
                self._shorten()
                break
            frames.append(self._frame(end))
            del self._buffer[: end + len(END)]
            self.inside = False
        return frames

    @property
    def begun(self) -> bytes:
        """The head of the frame that has begun and not ended; empty outside of frames."""
        return bytes(self._buffer[:HEAD_BYTES]) if self.inside else b""

    def _enter(self) -> bool:
        """True if the buffer now stands at the content of a frame; what stands before a 0x0B is dropped."""
        if self.inside:
            return True
        start = self._buffer.find(START)
        before = self._buffer if start < 0 else self._buffer[:start]
        self.noise += len(bytes(before).translate(None, _BLANK))
        if start < 0:
            self._buffer.clear()
            return False
        self._skip(start)
        return True

    def _skip(self, start: int) -> None:
        """Begin a frame behind the 0x0B at `start`."""
        del self._buffer[: start + 1]
        self._scanned, self._dropped, self.inside, self.noise = 0, 0, True, 0

    def _frame(self, end: int) -> Frame:
        too_large = self._dropped + end > self._max
        return Frame(bytes(self._buffer[: min(end, HEAD_BYTES) if too_large else end]), self._dropped + end, too_large)

    def _shorten(self) -> None:
        """Of a frame that is too large already, keep the head and the last byte (it may be the 0x1C of the end)."""
        surplus = len(self._buffer) - HEAD_BYTES - 1
        if self._dropped + len(self._buffer) > self._max and surplus > 0:
            del self._buffer[HEAD_BYTES:-1]
            self._dropped += surplus
            self._scanned = HEAD_BYTES

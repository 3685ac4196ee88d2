"""What can go wrong: one family of exceptions, each message telling the sender what to do instead."""

from __future__ import annotations

from dataclasses import dataclass


class CsfinterpError(Exception):
    """Base of every error that this service raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a document: `pointer` is an RFC 6901 JSON pointer, `message` says what to send instead.

    The message never repeats a value of the patient.
    """

    pointer: str
    message: str


class DocumentError(CsfinterpError):
    """A document that cannot be read or breaks its schema: refused whole, nothing stored."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = (), *, too_large: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.faults = faults
        self.too_large = too_large


class EditionError(CsfinterpError):
    """Bad knowledge: an edition, site rule or code map that is refused; names the file and the line."""

    def __init__(self, message: str, file: str | None = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}:{line}: " if line else f"{file}: "
        super().__init__(place + message)
        self.message, self.file, self.line = message, file, line


class ConflictError(CsfinterpError):
    """What was sent contradicts what is stored (same message id with other content, specimen of another patient)."""

    def __init__(self, message: str, kind: str = "conflict") -> None:
        super().__init__(message)
        self.message, self.kind = message, kind


class PreconditionError(ConflictError):
    """The sender's `If-Match` names a version that is no longer the newest."""


class NotFoundError(CsfinterpError):
    """No such panel, version or edition."""

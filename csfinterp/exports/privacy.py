"""De-identification: keyed pseudonyms, one keyed date shift per patient, ages capped; what is left out is named.

The key of a project is made from the secret of the site and the project's name: the same project gives the same
pseudonyms, another project others. Without the secret nobody can tell who is behind them.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from csfinterp.settings import SettingsError

OLDEST = 90  # years; this age and every older one is shown as this one (interfaces.md section 5)
MOST_DAYS = 365  # of a shift; ours
FEW = 5  # patients; a combination that fewer share is warned about (ours)
LETTERS = 16
LEFT_OUT = (
    "patient ids and panel ids (keyed pseudonyms stand there)",
    "dates (shifted by a keyed number of days for each patient; no time of day)",
    f"ages of {OLDEST} years and over (shown as {OLDEST})",
    "birth dates",
    "organism names, notes, values and units as sent, methods (free text)",
    "source system",
)


@dataclass(frozen=True)
class Pseudonyms:
    """Names and shifts of one project. The same key, the same pseudonym; another key, another one."""

    key: bytes

    @staticmethod
    def of(secret: bytes, project: str) -> Pseudonyms:
        return Pseudonyms(_mac(secret, "project", project))

    def name(self, kind: str, *parts: str) -> str:
        """The pseudonym of a patient or panel."""
        text = base64.b32encode(_mac(self.key, kind, *parts)).decode("ascii")
        return f"{kind[0].upper()}-{text[:LETTERS]}"

    def day(self, moment: str | None, *owner: str) -> str | None:
        """The day of an ISO date or time, shifted by the days of its owner, always back."""
        if moment is None:
            return None
        days = 1 + int.from_bytes(_mac(self.key, "shift", *owner)[:8], "big") % MOST_DAYS
        return (date.fromisoformat(moment[:10]) - timedelta(days=days)).isoformat()


def age(years: int | None) -> int | None:
    """The age as a de-identified table shows it."""
    return None if years is None else min(years, OLDEST)


def _mac(key: bytes, *parts: str) -> bytes:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, "sha256")


def site_secret(folder: Path) -> bytes:
    """The secret in the file export_key of the data folder, made when it is first needed. Raises SettingsError.

    Keep it as long as pseudonyms must stay the same, and keep it apart from what was exported.
    """
    path = folder / "export_key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            part = folder / f"export_key.{secrets.token_hex(8)}"
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):
                os.link(part, path)  # whole or not at all; the first one stays
            part.unlink()
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise SettingsError(
            f"The key of exports cannot be kept in {path}; set a CSFINTERP_DATA_FOLDER that can be written."
        ) from None

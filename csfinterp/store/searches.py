"""What a search asked, kept under a token for a day: a link to its pages then names no patient."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select

from csfinterp.store import engine as database
from csfinterp.store.records import stamp
from csfinterp.store.schema import searches

KEPT = timedelta(days=1)
Parameters = Sequence[tuple[str, str]]


class Searches:
    """The searches of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, parameters: Parameters, now: datetime) -> str:
        """The token of these parameters; those kept for longer than a day go."""
        row = {"token": secrets.token_urlsafe(24), "parameters": json.dumps(parameters), "created_at": stamp(now)}
        with database.transaction(self._engine) as connection:
            connection.execute(delete(searches).where(searches.c.created_at < stamp(now - KEPT)))
            connection.execute(insert(searches), row)
        return row["token"]

    def find(self, token: str, now: datetime) -> list[tuple[str, str]] | None:
        """The parameters of a token; None if there is none of the last day."""
        query = select(searches.c.parameters).where(
            searches.c.token == token, searches.c.created_at >= stamp(now - KEPT)
        )
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else [(name, value) for name, value in json.loads(text)]

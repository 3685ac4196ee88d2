"""The queries of accounts, tokens, browser sessions and limits of attempts; every change is audited in its transaction.

It knows digests and stamps (`records.stamp`), neither passwords nor the meaning of a role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, and_, case, delete, func, insert, or_, select, update

from csfinterp.store import engine as database
from csfinterp.store.audit import Deed, append
from csfinterp.store.security_schema import accounts, rate_limits, sessions, tokens


@dataclass(frozen=True)
class AccountRecord:
    """One row of accounts; the columns are explained in security_schema.py."""

    name: str
    roles: str
    password_hash: str | None
    demo: int
    failures: int
    locked_until: str | None
    disabled_at: str | None
    created_at: str


@dataclass(frozen=True)
class TokenRecord:
    """One row of tokens."""

    id: str
    account: str
    label: str
    roles: str
    digest: str
    created_at: str
    expires_at: str
    revoked_at: str | None


@dataclass(frozen=True)
class SessionRecord:
    """One row of sessions."""

    digest: str
    account: str
    created_at: str
    seen_at: str
    expires_at: str


class AccountStore:
    """Accounts of one database. Thread-safe; every change is its own transaction, durable when it returns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    # --- accounts ---

    def account(self, name: str) -> AccountRecord | None:
        row = self._first(select(accounts).where(accounts.c.name == name))
        return None if row is None else AccountRecord(**row)

    def accounts(self) -> list[AccountRecord]:
        """All accounts, by name."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.name)).mappings()
            return [AccountRecord(**row) for row in rows]

    def add(self, record: AccountRecord) -> None:
        """Raises RaceError if the name is taken."""
        with database.transaction(self.engine) as connection:
            connection.execute(insert(accounts).values(**asdict(record)))
            append(connection, [Deed("added", details={"account": record.name, "roles": record.roles})])

    def change(self, name: str, what: str, *, end_sessions: bool, **values: Any) -> None:
        """Changes columns of an account; `what` says so in the audit."""
        with database.transaction(self.engine) as connection:
            connection.execute(update(accounts).where(accounts.c.name == name).values(**values))
            if end_sessions:
                connection.execute(delete(sessions).where(sessions.c.account == name))
            append(connection, [Deed(what, details={"account": name})])

    def count_failure(self, name: str, most: int, locked_until: str) -> None:
        """One more wrong password; with `most` of them the account is locked. Parallel guesses all count."""
        failures = accounts.c.failures + 1
        locked = case((failures >= most, locked_until), else_=accounts.c.locked_until)
        change = update(accounts).where(accounts.c.name == name).values(failures=failures, locked_until=locked)
        with database.transaction(self.engine) as connection:
            connection.execute(change)
            count = connection.execute(select(accounts.c.failures).where(accounts.c.name == name)).scalar() or 0
            append(connection, [Deed("locked" if count >= most else "refused", details={"account": name})])

    # --- tokens ---

    def add_token(self, record: TokenRecord) -> None:
        with database.transaction(self.engine) as connection:
            connection.execute(insert(tokens).values(**asdict(record)))
            details = {"token": record.id, "account": record.account, "roles": record.roles}
            append(connection, [Deed("added", details=details)])

    def token(self, token_id: str) -> tuple[TokenRecord, AccountRecord] | None:
        """A token with its account."""
        query = select(tokens, accounts).join_from(tokens, accounts).where(tokens.c.id == token_id)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        values, size = tuple(row), len(tokens.c)
        return TokenRecord(*values[:size]), AccountRecord(*values[size:])

    def tokens(self) -> list[TokenRecord]:
        """All tokens, by account, the newest first."""
        with self.engine.connect() as connection:
            query = select(tokens).order_by(tokens.c.account, tokens.c.created_at.desc())
            return [TokenRecord(**row) for row in connection.execute(query).mappings()]

    def revoke(self, token_ids: Sequence[str], now: str) -> int:
        """Ends tokens at once; returns how many were still valid."""
        which = and_(tokens.c.id.in_(list(token_ids)), tokens.c.revoked_at.is_(None))
        with database.transaction(self.engine) as connection:
            count = int(connection.execute(update(tokens).where(which).values(revoked_at=now)).rowcount)
            if count:
                append(connection, [Deed("revoked", details={"tokens": sorted(token_ids)})])
        return count

    # --- browser sessions ---

    def begin_session(self, record: SessionRecord) -> None:
        """Signs an account in: its failures are forgotten, sessions that are over are cleared away."""
        with database.transaction(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= record.created_at))
            connection.execute(insert(sessions).values(**asdict(record)))
            fresh = update(accounts).where(accounts.c.name == record.account)
            connection.execute(fresh.values(failures=0, locked_until=None))
            append(connection, [Deed("signed in", details={"account": record.account})])

    def session(self, digest: str) -> tuple[SessionRecord, AccountRecord] | None:
        """A session with its account."""
        query = select(sessions, accounts).join_from(sessions, accounts).where(sessions.c.digest == digest)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        values, size = tuple(row), len(sessions.c)
        return SessionRecord(*values[:size]), AccountRecord(*values[size:])

    def touch_session(self, digest: str, now: str) -> None:
        with database.transaction(self.engine) as connection:
            connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen_at=now))

    def end_session(self, digest: str) -> None:
        with database.transaction(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))
            append(connection, [Deed("signed out")])

    # --- limits of attempts ---

    def hit(self, name: str, amount: int, now: float, until: float) -> int:
        """Counts attempts in the window of `name`, which a first attempt opens `until`; returns the sum."""
        live = or_(rate_limits.c.name != name, rate_limits.c.expires_at > now)
        with database.transaction(self.engine) as connection:
            connection.execute(delete(rate_limits).where(~live))
            change = update(rate_limits).where(rate_limits.c.name == name)
            if not connection.execute(change.values(hits=rate_limits.c.hits + amount)).rowcount:
                connection.execute(delete(rate_limits).where(rate_limits.c.expires_at <= now))
                connection.execute(insert(rate_limits).values(name=name, hits=amount, expires_at=until))
            return int(connection.execute(select(rate_limits.c.hits).where(rate_limits.c.name == name)).scalar_one())

    def hits(self, name: str, now: float) -> tuple[int, float]:
        """(attempts in the window, its end); (0, now) without one."""
        query = select(rate_limits.c.hits, rate_limits.c.expires_at)
        row = self._first(query.where(rate_limits.c.name == name, rate_limits.c.expires_at > now))
        return (0, now) if row is None else (int(row["hits"]), float(row["expires_at"]))

    def forget_hits(self, name: str | None) -> int:
        """Removes the counter of a name, or all; returns how many."""
        which = delete(rate_limits) if name is None else delete(rate_limits).where(rate_limits.c.name == name)
        with database.transaction(self.engine) as connection:
            return int(connection.execute(which).rowcount)

    def counts(self, now: str) -> tuple[int, int]:
        """(accounts that can act, those of them that are demo accounts): with a password, or with a token."""
        has_token = select(tokens.c.account).where(tokens.c.revoked_at.is_(None), tokens.c.expires_at > now)
        able = or_(accounts.c.password_hash.is_not(None), accounts.c.name.in_(has_token))
        query = select(func.count(), func.coalesce(func.sum(accounts.c.demo), 0))
        with self.engine.connect() as connection:
            row = connection.execute(query.where(accounts.c.disabled_at.is_(None), able)).one()
        return int(row[0]), int(row[1])

    def _first(self, query: Any) -> dict[str, Any] | None:
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)

"""Who may act: accounts with roles, passwords (argon2id), API tokens and browser sessions. It knows no page.

Secrets are shown once: the store holds the argon2id hash of a password and the SHA-256 of a token or session.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from csfinterp.errors import ConflictError, CsfinterpError, NotFoundError
from csfinterp.settings import Settings
from csfinterp.store import RaceError, Store, stamp
from csfinterp.store.accounts import AccountRecord, AccountStore, SessionRecord, TokenRecord

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1000
TOUCH = timedelta(minutes=1)
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)
_TOKEN = re.compile(r"csf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106, section 4 (low memory)


class Role(StrEnum):
    """What an account may be. `monitor` reads /metrics and nothing else."""

    LABORATORY = "laboratory"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"
    STEWARD = "steward"
    ADMINISTRATOR = "administrator"
    MONITOR = "monitor"


class AccountError(CsfinterpError):
    """An account, password or token that cannot be made; the message says what to give instead."""


@dataclass(frozen=True)
class Identity:
    """Somebody who may act. `demo`: only from this machine. `token`: its id, where one was used."""

    name: str
    roles: frozenset[Role]
    demo: bool = False
    token: str | None = None

    @property
    def who(self) -> str:
        return f"{self.name}/{self.token}" if self.token else self.name


@dataclass(frozen=True)
class NewToken:
    """A token as it is shown, once."""

    id: str
    secret: str
    expires_at: str


class Accounts:
    """Everything doors and commands ask about accounts. Thread-safe."""

    def __init__(
        self, settings: Settings, store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings, self._store, self._clock = settings, store.accounts, clock

    @property
    def attempts(self) -> AccountStore:
        """Where attempts are counted for all workers."""
        return self._store

    # --- accounts ---

    def add(self, name: str, roles: Iterable[str], password: str | None, *, demo: bool = False) -> None:
        """Makes an account; `password` None: it can only hold tokens. Raises AccountError, ConflictError if taken."""
        if not _NAME.fullmatch(name):
            raise AccountError("A name has 1 to 64 of a-z 0-9 . _ @ - and begins with a letter or digit.")
        hashed = None if password is None else _hashed(password, name)
        record = AccountRecord(name, _words(_roles(roles)), hashed, int(demo), 0, None, None, self._now())
        try:
            self._store.add(record)
        except RaceError:
            raise ConflictError(f"There is an account {name} already.", "account_exists") from None

    def set_password(self, name: str, password: str) -> None:
        """A new password; every session of the account ends, a lock is taken off. Raises as `set_roles`."""
        self._known(name)
        hashed = _hashed(password, name)
        fresh = {"password_hash": hashed, "failures": 0, "locked_until": None}
        self._store.change(name, "password set", end_sessions=True, **fresh)

    def set_roles(self, name: str, roles: Iterable[str]) -> None:
        """Other roles, at once also for its sessions and tokens. Raises AccountError, NotFoundError."""
        self._known(name)
        self._store.change(name, "roles set", end_sessions=False, roles=_words(_roles(roles)))

    def disable(self, name: str) -> None:
        """The account can no longer act: passwords, sessions and tokens. Raises NotFoundError."""
        self._known(name)
        self._store.change(name, "disabled", end_sessions=True, disabled_at=self._now())

    def listed(self) -> list[AccountRecord]:
        """All accounts, by name."""
        return self._store.accounts()

    def able(self) -> tuple[int, int]:
        """(accounts that can act, those of them that are demo accounts)."""
        return self._store.counts(self._now())

    # --- tokens ---

    def add_token(self, name: str, roles: Iterable[str], label: str, days: int) -> NewToken:
        """A token for an account, with some or all (none named) of its roles. Raises AccountError, NotFoundError."""
        account = self._known(name)
        has = _roles(account.roles.split())
        wanted = _roles(roles) if (roles := list(roles)) else has
        if not wanted <= has:
            raise AccountError(f"{name} has no role {_words(wanted - has)}; give the account that role first.")
        token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        expires = stamp(self._clock() + timedelta(days=days))
        record = TokenRecord(token_id, name, label, _words(wanted), _digest(secret), self._now(), expires, None)
        self._store.add_token(record)
        return NewToken(token_id, f"csf_{token_id}_{secret}", expires)

    def tokens(self) -> list[TokenRecord]:
        """All tokens, without their secrets."""
        return self._store.tokens()

    def revoke(self, token_ids: Iterable[str]) -> int:
        """Ends tokens at once; returns how many were still valid."""
        return self._store.revoke(list(token_ids), self._now())

    def by_token(self, text: str) -> Identity | None:
        """Who holds this bearer token; None if it is not one of ours, expired, revoked, or the account is disabled."""
        match = _TOKEN.fullmatch(text)
        found = self._store.token(match[1]) if match else None
        if match is None or found is None:
            return None
        token, account = found
        if not hmac.compare_digest(token.digest, _digest(match[2])):
            return None
        if token.revoked_at is not None or token.expires_at <= self._now():
            return None
        return _identity(account, token)

    # --- passwords and sessions ---

    def sign_in(self, name: str, password: str) -> str | None:
        """The secret of a new session, or None: wrong name or password, locked or disabled; it does not say which."""
        account, now = self._store.account(name) if _NAME.fullmatch(name) else None, self._now()
        hashed = account.password_hash if account is not None else None
        right = _verified(hashed or _nobody(), password) and hashed is not None
        if account is None or account.disabled_at is not None or (account.locked_until or "") > now:
            return None
        if not right:
            until = stamp(self._clock() + timedelta(minutes=self._settings.login_lock_minutes))
            self._store.count_failure(name, self._settings.login_failures, until)
            return None
        secret = secrets.token_urlsafe(32)
        expires = stamp(self._clock() + timedelta(hours=self._settings.session_hours))
        self._store.begin_session(SessionRecord(_digest(secret), name, now, now, expires))
        return secret

    def confirmed(self, name: str, password: str) -> bool:
        """True if this is the password of the account; asked again before it is changed."""
        account = self._store.account(name)
        return account is not None and account.password_hash is not None and _verified(account.password_hash, password)

    def by_session(self, secret: str) -> Identity | None:
        """Who is signed in; None if the session is over, idle for too long, or the account is disabled."""
        digest, clock = _digest(secret), self._clock()
        found = self._store.session(digest)
        if found is None:
            return None
        session, account = found
        idle = stamp(clock - timedelta(minutes=self._settings.session_idle_minutes))
        if session.expires_at <= stamp(clock) or session.seen_at <= idle:
            return None
        if session.seen_at <= stamp(clock - TOUCH):
            self._store.touch_session(digest, stamp(clock))
        return _identity(account, None)

    def sign_out(self, secret: str) -> None:
        """Ends a session on every worker."""
        self._store.end_session(_digest(secret))

    def _known(self, name: str) -> AccountRecord:
        account = self._store.account(name)
        if account is None:
            raise NotFoundError(f"There is no account {name}; csfinterp user list shows all.")
        return account

    def _now(self) -> str:
        return stamp(self._clock())


def _identity(account: AccountRecord, token: TokenRecord | None) -> Identity | None:
    if account.disabled_at is not None:
        return None
    roles = _roles(account.roles.split())
    if token is not None:
        roles &= _roles(token.roles.split())
    return Identity(account.name, roles, bool(account.demo), token.id if token else None)


def _roles(words: Iterable[str]) -> frozenset[Role]:
    known = {role.value: role for role in Role}
    wanted = list(words)
    if not wanted or not set(wanted) <= known.keys():
        raise AccountError(f"Give one or more of the roles {', '.join(known)}.")
    return frozenset(known[word] for word in wanted)


def _words(roles: Iterable[Role]) -> str:
    return " ".join(role.value for role in Role if role in set(roles))


def _hashed(password: str, name: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or password.lower() == name:
        text = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters and is not the name."
        raise AccountError(f"{text} Several words are easy to remember and hard to guess.")
    return _HASHER.hash(password)


@cache
def _nobody() -> str:
    """Verified in place of an account that is not there, so that both take the same time."""
    return _HASHER.hash(secrets.token_urlsafe(16))


def _verified(hashed: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

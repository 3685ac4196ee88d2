"""Where Flask-Limiter counts: in the service's own database, so that a limit holds over all workers and hosts."""

from __future__ import annotations

import time

from limits.storage import Storage

from csfinterp.errors import CsfinterpError
from csfinterp.web.hall import hall

SCHEME = "csfinterp"
URI = f"{SCHEME}://"
_SCHEMES = [SCHEME]


class DatabaseStorage(Storage):
    """Fixed windows in the table rate_limits. A counter that cannot be written refuses the attempt."""

    STORAGE_SCHEME = _SCHEMES

    @property
    def base_exceptions(self) -> type[Exception]:
        return CsfinterpError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        return hall().accounts.attempts.hit(key, amount, now, now + expiry)

    def get(self, key: str) -> int:
        return hall().accounts.attempts.hits(key, time.time())[0]

    def get_expiry(self, key: str) -> float:
        return hall().accounts.attempts.hits(key, time.time())[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        return hall().accounts.attempts.forget_hits(None)

    def clear(self, key: str) -> None:
        hall().accounts.attempts.forget_hits(key)

"""Links to the pages of a search. Patient and specimen never stand in an address that we write, but a token for them.

Addresses end in logs, histories and bookmarks, of proxies and of readers. A sender keeps them out of its own by POST.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from csfinterp.web.hall import hall

Parameters = list[tuple[str, str]]


class ExpiredError(Exception):
    """The token of a link is not known, or older than a day."""

    advice = "This link is older than a day or was not written here. Begin the search again."


class Pages:
    """The links of one search. `sent`: what was asked; `token`, `cursor`: names of the two parameters of ours;
    `private`: beginnings of the names of parameters that must not stand in an address.

    `asked` is what the search means, without cursor and token. Raises ExpiredError.
    """

    def __init__(self, base: str, sent: Parameters, token: str, cursor: str, private: Collection[str]) -> None:
        self._base, self._cursor, self._token = base, cursor, token
        self.after = next((value for name, value in sent if name == cursor), None)
        self._known = next((value for name, value in sent if name == token), None)
        self.asked = [(name, value) for name, value in sent if name not in (cursor, token)]
        if self._known is not None:
            found = hall().searches.find(self._known, hall().now())
            if found is None:
                raise ExpiredError
            self.asked = found + [pair for pair in self.asked if pair[0] not in dict(found)]
        self._private = any(name.startswith(tuple(private)) for name, _ in self.asked)

    def address(self, after: str | None) -> str:
        """The page behind a cursor, None: the first."""
        if self._known is None and self._private:
            self._known = hall().searches.keep(self.asked, hall().now())
        kept = [(self._token, self._known)] if self._known is not None else self.asked
        parameters = kept + ([(self._cursor, after)] if after is not None else [])
        return f"{self._base}?{urlencode(parameters)}" if parameters else self._base

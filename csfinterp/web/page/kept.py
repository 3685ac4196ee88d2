"""Texts that were made and may be asked for again, by a key that names everything they depend on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class Kept:
    """The `most` texts that were asked for last. Thread-safe; two who ask at once may both make it."""

    def __init__(self, most: int) -> None:
        self._most, self._lock, self._texts = most, Lock(), OrderedDict[Hashable, str]()

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        with self._lock:
            found = self._texts.get(key)
            if found is not None:
                self._texts.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._texts[key] = made
            while len(self._texts) > self._most:
                self._texts.popitem(last=False)
        return made

"""Side-by-side timing: two callables take turns, the best round of each counts, only their ratio is reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True)
class Line:
    """One measured ratio. `at_least` True: the aim is a lower bound of the ratio, else an upper bound."""

    text: str
    ratio: float
    aim: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.ratio >= self.aim if self.at_least else self.ratio <= self.aim

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{self.text}: ratio {self.ratio:.3g} (aim {sign} {self.aim:g}) {'met' if self.met else 'MISSED'}"


def seconds(call: Callable[[], object], repeat: int) -> float:
    """Seconds of one call, mean of `repeat` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def side_by_side(
    first: Callable[[], object], second: Callable[[], object], repeat: tuple[int, int]
) -> tuple[float, float]:
    """Seconds of `first` and of `second`: they take turns, so that a noisy moment hits both; the best round counts."""
    first()
    second()
    rounds = [(seconds(first, repeat[0]), seconds(second, repeat[1])) for _ in range(ROUNDS)]
    return min(one for one, _ in rounds), min(two for _, two in rounds)

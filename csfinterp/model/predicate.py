"""The closed vocabulary of rules. A predicate compares one quantity or reads one coded input; it never calculates.

Every predicate has three truth values (see steps/truth.py): TRUE, FALSE and UNKNOWN. A value known only as an
interval ("<5", or a lower bound) gives TRUE or FALSE only if every value of the interval agrees.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias


class Truth(IntEnum):
    """Kleene's three values; AND is the minimum, OR the maximum, NOT is 2 - x."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    @property
    def word(self) -> str:
        """`false`, `unknown` or `true`, as the interpretation document prints it."""
        return ("false", "unknown", "true")[self]


# Python 3.11 looks up a member of an enum slowly; what reads thousands of truths for one panel uses these names.
FALSE, UNKNOWN, TRUE = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE


@dataclass(frozen=True)
class Limit:
    """What a quantity is compared with: exactly one of `value`, `quantity`, `reference`.

    `value` is in the canonical unit of the compared quantity (rounded once to 9 decimals); `text` is the limit as its
    source prints it, with unit. `quantity` is another quantity's id. `reference` is "low" or "high" of the patient's
    own interval row. `decision_limit` names the DL-* entry that the limit came from.
    """

    text: str
    value: float | None = None
    quantity: str | None = None
    reference: str | None = None
    decision_limit: str | None = None


@dataclass(frozen=True)
class Above:
    """quantity > limit (>= if inclusive)."""

    quantity: str
    limit: Limit
    inclusive: bool = False

    def sentence(self) -> str:
        return f"{self.quantity} {'>=' if self.inclusive else '>'} {self.limit.text}"


@dataclass(frozen=True)
class Below:
    """quantity < limit (<= if inclusive)."""

    quantity: str
    limit: Limit
    inclusive: bool = False

    def sentence(self) -> str:
        return f"{self.quantity} {'<=' if self.inclusive else '<'} {self.limit.text}"


@dataclass(frozen=True)
class Between:
    """low <= quantity <= high (both ends excluded if not inclusive)."""

    quantity: str
    low: Limit
    high: Limit
    inclusive: bool = True

    def sentence(self) -> str:
        return f"{self.quantity} between {self.low.text} and {self.high.text}"


@dataclass(frozen=True)
class Flagged:
    """The result's own flag is one of `flags`; UNKNOWN where nothing was judged."""

    analyte: str
    flags: tuple[str, ...]

    def sentence(self) -> str:
        return f"{self.analyte} flagged {' or '.join(self.flags)}"


@dataclass(frozen=True)
class Is:
    """A coded result, context word or listed attribute is one of `values`; UNKNOWN where it is not known."""

    input: str
    values: tuple[str, ...]

    def sentence(self) -> str:
        return f"{self.input} is {' or '.join(self.values)}"


@dataclass(frozen=True)
class Known:
    """The quantity or coded input is there and usable; TRUE or FALSE, never UNKNOWN."""

    input: str

    def sentence(self) -> str:
        return f"{self.input} is known"


@dataclass(frozen=True)
class All:
    items: tuple[Predicate, ...]

    def sentence(self) -> str:
        return " and ".join(_bracketed(item) for item in self.items)


@dataclass(frozen=True)
class Any:
    items: tuple[Predicate, ...]

    def sentence(self) -> str:
        return " or ".join(_bracketed(item) for item in self.items)


@dataclass(frozen=True)
class Not:
    item: Predicate

    def sentence(self) -> str:
        return f"not ({self.item.sentence()})"


@dataclass(frozen=True)
class AtLeast:
    """TRUE if k items are TRUE, FALSE if fewer than k are TRUE or UNKNOWN, else UNKNOWN."""

    k: int
    items: tuple[Predicate, ...]

    def sentence(self) -> str:
        return f"at least {self.k} of: {'; '.join(item.sentence() for item in self.items)}"


@dataclass(frozen=True)
class FirstKnown:
    """The first item that is not UNKNOWN decides (glucose ratio, else CSF glucose)."""

    items: tuple[Predicate, ...]

    def sentence(self) -> str:
        return ", else ".join(_bracketed(item) for item in self.items)


@dataclass(frozen=True)
class Holds:
    """Truth of another statement by id: finding, quality rule, pattern item, caution, recommendation; or a grade.

    With `at_least` the id is a pattern (grades does_not_fit < partly_fits < fits < established; not_evaluable is
    UNKNOWN) or an evidence table (its answer is this word).
    """

    id: str
    at_least: str | None = None

    def sentence(self) -> str:
        return f"{self.id} {f'at least {self.at_least}' if self.at_least else 'holds'}"


Predicate: TypeAlias = Above | Below | Between | Flagged | Is | Known | All | Any | Not | AtLeast | FirstKnown | Holds
GROUPS = (All, Any, AtLeast, FirstKnown)


def _bracketed(item: Predicate) -> str:
    return f"({item.sentence()})" if isinstance(item, GROUPS) else item.sentence()


def children(predicate: Predicate) -> tuple[Predicate, ...]:
    """The predicates directly inside `predicate`; empty for a leaf."""
    if isinstance(predicate, GROUPS):
        return predicate.items
    return (predicate.item,) if isinstance(predicate, Not) else ()


def leaves(predicate: Predicate) -> tuple[Predicate, ...]:
    """All predicates without children, from left to right."""
    kept: dict[str, typing.Any] = predicate.__dict__  # beside the fields: every panel asks the same rules again
    found: tuple[Predicate, ...] | None = kept.get("_leaves")
    if found is None:
        inner = children(predicate)
        found = kept["_leaves"] = tuple(leaf for item in inner for leaf in leaves(item)) if inner else (predicate,)
    return found


def inputs(predicate: Predicate) -> tuple[str, ...]:
    """Ids of the quantities and coded inputs that the leaves read, each once,
    in order (limits that are quantities too)."""
    kept: dict[str, typing.Any] = predicate.__dict__
    found: tuple[str, ...] | None = kept.get("_inputs")
    if found is None:
        found = kept["_inputs"] = tuple(dict.fromkeys(name for leaf in leaves(predicate) for name in _read_by(leaf)))
    return found


def _read_by(leaf: Predicate) -> Iterator[str]:
    match leaf:
        case Above(quantity, limit) | Below(quantity, limit):
            yield quantity
            yield from [limit.quantity] if limit.quantity else ()
        case Between(quantity, low, high):
            yield quantity
            yield from (limit.quantity for limit in (low, high) if limit.quantity)
        case Flagged(name) | Is(name) | Known(name):
            yield name

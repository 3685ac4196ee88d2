"""A named option put into an edition: rows replaced, critical rules swapped, limits and constants changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from csfinterp.knowledge.partitions import replaced
from csfinterp.knowledge.predicates import with_limits
from csfinterp.model.edition import Analyte, Derived, Edition, NamedOption
from csfinterp.model.predicate import Predicate

Owner = TypeVar("Owner", Analyte, Derived)


def apply_option(edition: Edition, option: NamedOption) -> Edition:
    """A new edition in which `option` rules where it states something; everything else stays."""
    dropped = set(option.replaces_critical)
    critical = [rule for rule in edition.critical if rule.id not in dropped and rule.rule not in dropped]
    changed = replace(
        edition,
        analytes=tuple(_with_rows(analyte, option) for analyte in edition.analytes),
        derived=tuple(_with_constants(_with_rows(item, option), option) for item in edition.derived),
        # An option's rule stands before the edition's, as a site's own word does.
        critical=(*option.critical, *critical),
    )
    return _with_decision_limits(changed, option) if option.decision_limits else changed


def _with_rows(owner: Owner, option: NamedOption) -> Owner:
    """Rows of the option's analyte are replaced wherever they are used (csf_nucleated_cells uses csf_leukocytes')."""
    mine = owner.id == option.analyte or any(row.rule.startswith(f"{option.analyte}/") for row in owner.intervals)
    if not option.intervals or not mine:
        return owner
    return replace(owner, intervals=replaced(owner.intervals, option.intervals))


def _with_constants(item: Derived, option: NamedOption) -> Derived:
    chosen = option.constants.get(item.id)
    return item if chosen is None else replace(item, constants={**item.constants, **chosen})


def _with_decision_limits(edition: Edition, option: NamedOption) -> Edition:
    """Limits are replaced by id, in the list and in every rule that names them."""
    chosen = {limit.id: limit for limit in option.decision_limits}
    parts = {
        name: _with_rules(getattr(edition, name), lambda rule: with_limits(rule, chosen))
        for name in ("quality", "findings", "evidence", "patterns", "cautions", "differential", "statements",
                     "recommendations", "scores")
    }  # fmt: skip
    return replace(edition, limits=tuple(chosen.get(limit.id, limit) for limit in edition.limits), **parts)


def _with_rules(part: Any, change: Callable[[Predicate], Predicate]) -> Any:
    """The same entry, or tuple of entries, with every rule in it changed."""
    if isinstance(part, Predicate):
        return change(part)
    if isinstance(part, tuple):
        return tuple(_with_rules(inner, change) for inner in part)
    if not is_dataclass(part) or isinstance(part, type):
        return part
    inner = {field.name: getattr(part, field.name) for field in fields(part)}
    return replace(part, **{name: _with_rules(value, change) for name, value in inner.items()})

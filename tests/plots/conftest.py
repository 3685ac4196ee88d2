"""Panels of one patient with quotients as wanted, answered by the real core, and their plots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from csfinterp.model.edition import Edition
from csfinterp.plotting.panel import PanelPlots
from csfinterp.plotting.readings import Puncture
from tests.making import Interpret, albumin_pair, panel, quantity

Answer = Callable[..., dict[str, Any]]
Plots = Callable[..., PanelPlots]


@pytest.fixture(scope="session")
def answer(interpret: Interpret) -> Answer:
    """The interpretation of a panel with these quotients [1e-3]; `day` as ISO date or None."""

    def make(day: str | None = "2026-03-01", albumin: float | None = 20.0, **quotients: float) -> dict[str, Any]:
        more = quotients.pop("more", ())
        found = [quantity("csf_protein", 20000, "mg/L"), *more]
        found += [] if albumin is None else albumin_pair(albumin)
        for name, quotient in quotients.items():
            if name == "kappa":
                found += [quantity("csf_kappa_flc", quotient / 100, "mg/L"), quantity("serum_kappa_flc", 10, "mg/L")]
            elif name in ("igg", "iga", "igm"):
                found += [quantity(f"csf_{name}", quotient * 2, "mg/L"), quantity(f"serum_{name}", 2, "g/L")]
        document = panel(*found, age=None, site=str(quotients.get("site", "lumbar")))
        document["specimen"]["collected_at"] = day
        if day is None:
            del document["specimen"]["collected_at"]
        document["patient"]["age"] = {"value": 60, "unit": "a"}
        return interpret(document)

    return make


@pytest.fixture(scope="session")
def plots(edition: Edition) -> Plots:
    """The plots of an answer, with answers to other panels of the patient."""

    def make(now: dict[str, Any], *others: dict[str, Any]) -> PanelPlots:
        return PanelPlots(Puncture(None, now), tuple(Puncture(None, one) for one in others), edition)

    return make

"""A logistic model that a site has loaded: coefficients, where they come from, and who approved them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Predictor:
    """One term of the model. `coding`: binary (0/1), count (up to `cap`), continuous (in `unit`, transformed).

    `transform`: identity, log (natural), cutoff (1 at or above `cutoff`, else 0). `definition`: what counts.
    """

    name: str
    coding: str
    beta: float
    definition: str | None = None
    cap: float | None = None
    unit: str | None = None
    transform: str = "identity"
    cutoff: float | None = None


@dataclass(frozen=True)
class Coefficients:
    """p = 1 / (1 + exp(-(intercept + sum of beta x))). `digest` names exactly this file, `version` is the site's name.

    `source_kind`: published, from_authors, digitized_figure or own_refit. `output_rounding`: step of the printed p.
    """

    model: str
    version: str
    source: str
    source_kind: str
    digitizing_error: float | None
    approved_by: str
    approved_on: str
    intercept: float
    predictors: tuple[Predictor, ...]
    output_rounding: float
    digest: str
    file: str

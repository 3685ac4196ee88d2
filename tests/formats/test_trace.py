"""The trace of a statement: every statement of the edition has one, in 80 columns, with rule and sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from csfinterp.formats import report_trace
from csfinterp.formats.report_layout import width_of
from csfinterp.formats.report_trace_parts import statements
from csfinterp.model.edition import Edition
from csfinterp.samples import SAMPLES

Interpret = Callable[[Any], dict[str, Any]]


@pytest.fixture(scope="module")
def document(interpret: Interpret) -> dict[str, Any]:
    return interpret(next(sample for sample in SAMPLES if sample.name == "hematologic_lm").document())


def test_every_statement_of_a_document_can_be_explained(edition: Edition, interpret: Interpret) -> None:
    for sample in SAMPLES:
        document = interpret(sample.document())
        named = [entry["id"] for key in ("findings", "quality", "patterns", "cautions", "scores", "recommendations")
                 for entry in document[key]]  # fmt: skip
        named += [item["id"] for pattern in document["patterns"] for item in (*pattern["items"], *pattern["lines"])]
        named += [entry["analyte"] for entry in document["results"]]
        named += [entry["rule"] for key in ("quality", "recommendations", "critical") for entry in document[key]]
        named += [entry["id"] for entry in document["liquid_biopsy"]["statements"]]
        unknown = [name for name in named if not report_trace.knows(edition, name) and name != "laboratory"]
        assert unknown == [], sample.name


def test_every_trace_fits_and_names_its_sources(edition: Edition, document: dict[str, Any]) -> None:
    known = statements(edition)
    assert len(known) > 400
    for key, entries in known.items():
        told = report_trace.explain(edition, document, key)
        assert max(map(width_of, told.splitlines())) <= 80, key
        for entry in entries:
            assert entry.citations or entry.status, key
            assert f"{entry.kind.upper()} {entry.id}" in " ".join(told.split()), key


def test_the_trace_repeats_the_document(edition: Edition, document: dict[str, Any]) -> None:
    for finding in document["findings"]:
        told = " ".join(report_trace.explain(edition, document, finding["id"]).split())
        assert f"Truth {finding['truth']}" in told
        for reason in finding["because"]:
            assert reason in told
        assert f"Status {finding['status']}" in told


def test_what_is_not_printed_is_said_to_be_so(edition: Edition, document: dict[str, Any]) -> None:
    printed = {entry["id"] for entry in document["cautions"]}
    silent = next(entry for entry in edition.cautions if entry.id not in printed)
    assert "This panel      not printed" in report_trace.explain(edition, document, silent.id)


def test_ids_like_an_unknown_one(edition: Edition) -> None:
    assert "pleocytosis" in report_trace.near(edition, "pleocytose")
    assert "csf_lactate" in report_trace.near(edition, "lactate")
    assert report_trace.near(edition, "pleocytosis") == []
    assert len(report_trace.near(edition, "e")) <= 8
    assert report_trace.near(edition, "§§§§") == []
    assert not report_trace.knows(edition, "")


def test_a_document_without_anything_is_explained_too(edition: Edition) -> None:
    told = report_trace.explain(edition, {}, "bacterial_meningitis")
    assert "nothing in this document" in told
    assert "no result in this document" in told

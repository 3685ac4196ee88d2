"""What all tests share: the shipped edition, its core, `interpret` (document in, document out),
a count of vignettes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from csfinterp.knowledge import load_edition
from csfinterp.model.edition import Edition
from csfinterp.settings import Settings
from csfinterp.steps.pipeline import Core
from tests.making import Interpret, interpreting

# Tests of other areas need no accounts: access is open unless a test's own settings or environment say otherwise.
OPEN = {"CSFINTERP_ACCESS": "open", "CSFINTERP_SECRET_KEY": "a key of the tests, of enough characters"}
for _name, _value in OPEN.items():
    os.environ.setdefault(_name, _value)
_load = Settings.load


def _load_open(environ: Mapping[str, str] = os.environ, config_folder: Path | None = None) -> Settings:
    return _load({**OPEN, **environ}, config_folder)


Settings.load = staticmethod(_load_open)

SHIPPED = Path(__file__).resolve().parents[1] / "reference_ranges" / "2026.1"


@pytest.fixture(scope="session")
def edition() -> Edition:
    """The edition as shipped, without site rules."""
    return load_edition(SHIPPED)


@pytest.fixture(scope="session")
def core(edition: Edition) -> Core:
    """The shipped edition, compiled once per test process."""
    return Core(edition)


@pytest.fixture(scope="session")
def interpret(core: Core) -> Interpret:
    """Panel document -> interpretation document, through the JSON reader and the whole core."""
    return interpreting(core)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line: how many vignettes ran, by topic (works with xdist: topics travel in the test reports)."""
    counts: dict[str, Counter[str]] = {"passed": Counter(), "failed": Counter()}
    for outcome, found in counts.items():
        for report in terminalreporter.stats.get(outcome, []):
            topic = dict(getattr(report, "user_properties", ())).get("vignette_topic")
            if topic is not None:
                found[str(topic)] += 1
    topics = sorted(counts["passed"] | counts["failed"])
    if topics:
        from tests.test_cases import vignette_table  # reads the vignettes, so only where they ran

        for line in vignette_table():
            terminalreporter.write_line(line)
        parts = [f"{topic} {counts['passed'][topic]}" for topic in topics]
        failed = sum(counts["failed"].values())
        terminalreporter.write_line(
            f"vignettes passed: {sum(counts['passed'].values())} ({', '.join(parts)}); failed: {failed}"
        )

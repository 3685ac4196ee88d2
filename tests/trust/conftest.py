"""One application with accounts for all tests of trust; a test that breaks accounts makes its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.making import Document, sample_panel
from tests.making_accounts import Trusted, trusted


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return trusted(tmp_path_factory.mktemp("trust"))


@pytest.fixture(scope="session")
def stored(trust: Trusted) -> Document:
    """The interpretation of a panel that the laboratory has posted."""
    answer = trust.client("laboratory").post("/api/v1/panels", json=sample_panel("solid_lm_positive_cytology"))
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


@pytest.fixture
def fresh(trust: Trusted) -> Iterator[Trusted]:
    """The same application; afterwards its accounts and limits are as before, whatever the test did to them."""
    before = {one.name: one for one in trust.service.accounts.listed()}
    yield trust
    attempts = trust.service.accounts.attempts
    attempts.forget_hits(None)
    for name, record in before.items():
        kept = {"password_hash": record.password_hash, "failures": 0, "locked_until": None, "disabled_at": None}
        attempts.change(name, "as before", end_sessions=True, **kept)

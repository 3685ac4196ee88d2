"""The real application on a real SQLite file; every test posts specimens of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from csfinterp.operations import open_service
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.web import create_app
from tests.making import sample_panel

PanelMaker = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("web")
    # Drafts are allowed so that an edition in work can be tried through the doors; test_cli.py needs a released one.
    values = {"DATABASE_URL": f"sqlite:///{folder / 'csf.sqlite'}", "ALLOW_DRAFT": "true", "MAX_BODY_BYTES": "100000"}
    return Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()})


@pytest.fixture(scope="session")
def service(settings: Settings) -> Service:
    return open_service(settings)


@pytest.fixture(scope="session")
def app(settings: Settings, service: Service) -> Flask:
    return create_app(settings, service)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def panel() -> PanelMaker:
    """Makes a panel that no other test has sent: a sample with ids of its own, changed as asked."""

    def make(sample: str = "solid_lm_positive_cytology", **changes: Any) -> dict[str, Any]:
        return sample_panel(sample, **changes)

    return make

"""Settings: file below environment, and a sentence that names the variable for everything that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from csfinterp.settings import Settings, SettingsError, packaged_folder


def test_defaults_need_nothing(tmp_path: Path) -> None:
    settings = Settings.load({"CSFINTERP_DATA_FOLDER": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path / 'csfinterp.sqlite'}"
    assert settings.demo_folder == tmp_path / "demo"
    assert settings.editions_folder == packaged_folder("reference_ranges")
    assert (settings.bind, settings.port) == ("127.0.0.1:8000", 8000)
    assert settings.allow_draft is False
    assert settings.site_rules is None


def test_the_environment_wins_over_the_sites_file_and_that_over_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("workers: 5\nthreads: 6\nsite_rules: site_rules/ours.yaml\n")
    settings = Settings.load({"CSFINTERP_THREADS": "7", "CSFINTERP_CONFIG_FOLDER": str(tmp_path)})
    assert (settings.workers, settings.threads, settings.timeout) == (5, 7, 60)
    assert settings.site_rules == tmp_path / "site_rules" / "ours.yaml"
    assert settings.code_maps_folder == tmp_path / "code_maps"
    assert Settings.load({}, tmp_path).workers == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKERS", "many"),
        ("WORKERS", "0"),
        ("MAX_BODY_BYTES", "-1"),
        ("BIND", "8000"),
        ("BIND", "host:99999"),
        ("BIND", "host:٨٠٠٠"),
        ("LOG_LEVEL", "loud"),
        ("ALLOW_DRAFT", "perhaps"),
        ("TRUSTED_PROXIES", "all"),
        ("CONFIG_FOLDER", "/no/such/folder"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"CSFINTERP_{name}") as caught:
        Settings.load({f"CSFINTERP_{name}": value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [("wokers: 3", "wokers"), ("- a", "default.yaml"), ("a: [", "default.yaml"), ("threads: x", "THREADS")],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "default.yaml").write_text(text)
    with pytest.raises(SettingsError, match=named):
        Settings.load({}, tmp_path)


def test_an_empty_variable_means_not_set() -> None:
    assert Settings.load({"CSFINTERP_WORKERS": "", "CSFINTERP_DATABASE_URL": ""}).workers == 2


def test_a_secret_is_not_printed() -> None:
    secret = "hunter2"
    settings = Settings.load({"CSFINTERP_DATABASE_URL": f"postgresql://u:{secret}@h/d"})
    assert secret not in repr(settings)

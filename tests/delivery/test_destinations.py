"""destinations.yaml: every slip is named with its entry; secrets stay where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from csfinterp.delivery.destinations import RETRY_S, Destination, SecretPlace, load_destinations
from csfinterp.events import EVENT_TYPES
from csfinterp.settings import SettingsError

GOOD: dict[str, Any] = {
    "name": "ward", "kind": "webhook", "url": "https://hooks.example.org/csf", "secrets": [{"env": "WARD_SECRET"}],
}  # fmt: skip


def load(tmp_path: Path, *entries: dict[str, Any]) -> tuple[Destination, ...]:
    path = tmp_path / "destinations.yaml"
    path.write_text(yaml.safe_dump({"destinations": list(entries)}))
    return load_destinations(path)


def test_no_file_means_no_destination(tmp_path: Path) -> None:
    assert load_destinations(tmp_path / "destinations.yaml") == ()


def test_a_webhook_needs_little(tmp_path: Path) -> None:
    (found,) = load(tmp_path, GOOD)
    assert (found.name, found.content, found.timeout_s, found.retry_s) == ("ward", "ids", 10.0, RETRY_S)
    assert found.event_types == frozenset()
    assert found.secrets == (SecretPlace(env="WARD_SECRET"),)


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_every_event_can_be_chosen(tmp_path: Path, event: str) -> None:
    (found,) = load(tmp_path, {**GOOD, "events": [event]})
    assert found.event_types == {event}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "Ward 7"}, r"\[0\]\.name"),
        ({"kind": "email"}, r"\[0\]\.kind"),
        ({"url": "ftp://example.org"}, "https://"),
        ({"url": "https://user:pw@example.org/"}, "without user"),
        ({"url": None}, r"\[0\]\.url"),
        ({"secrets": []}, "at least one secret"),
        ({"secrets": [{"env": "A", "file": "b"}]}, "either env"),
        ({"secrets": [{"value": "whsec_x"}]}, r"secrets\[0\]\.value"),
        ({"events": ["panel.sold"]}, r"events\[0\]"),
        ({"networks": ["10.0.0.1/8"]}, r"networks\[0\]"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"retries": 3}, r"\[0\]\.retries"),
        ({"kind": "hl7_mllp"}, "host and port"),
    ],
)
def test_a_slip_is_named_with_its_place(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        load(tmp_path, {**GOOD, **change})
    assert "destinations.yaml" in str(caught.value)


@pytest.mark.parametrize("text", ["destinations: [", "- a", "receivers: []", "\x00"])
def test_a_file_that_is_not_readable_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "destinations.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"destinations\.yaml"):
        load_destinations(tmp_path / "destinations.yaml")


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="one name"):
        load(tmp_path, GOOD, GOOD)


def test_a_secret_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("whsec_" + "QUFB" * 8 + "\n")
    assert SecretPlace(file=file).read({}) == b"A" * 24
    assert SecretPlace(env="W").read({"W": "QUFB" * 8}) == b"A" * 24


@pytest.mark.parametrize("text", ["", "short", "whsec_QUFB", "not base64 at all, but long enough to be a key"])
def test_a_bad_secret_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError, match="variable W") as caught:
        SecretPlace(env="W").read({"W": text})
    assert not text or text not in str(caught.value)


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        SecretPlace(file=tmp_path / "nowhere").read({})

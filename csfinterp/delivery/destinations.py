"""The destinations of a site: destinations.yaml, checked whole when it is read; secrets are only named in it."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from csfinterp.settings import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
WEBHOOK, HL7_HTTP, HL7_MLLP = "webhook", "hl7_http", "hl7_mllp"
# Seconds after each try that failed (Standard Webhooks: several tries over days); then the delivery is dead.
RETRY_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
_SECRET_BYTES = range(24, 65)
_PANEL_EVENTS = (
    "panel.interpreted", "panel.completed", "panel.corrected", "panel.context_changed", "panel.reinterpreted",
    "panel.cancelled",
)  # fmt: skip
_EVENTS = (
    *_PANEL_EVENTS,
    "result.withdrawn",
    "message.held",
    "critical.found",
    "critical.changed",
    "critical.withdrawn",
)


@dataclass(frozen=True)
class SecretPlace:
    """Where a secret is: the name of an environment variable, or a file."""

    env: str | None = None
    file: Path | None = None

    def read(self, environ: Mapping[str, str]) -> bytes:
        """The key. Raises SettingsError that names the place and never the secret."""
        place = f"the variable {self.env}" if self.env else f"the file {self.file}"
        try:
            text = environ.get(self.env, "") if self.env else Path(str(self.file)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"A webhook secret cannot be read from {place}.") from None
        try:
            key = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) not in _SECRET_BYTES:
            raise SettingsError(
                f"In {place} there must be whsec_ and 24 to 64 random bytes in base64: openssl rand -base64 32."
            )
        return key


@dataclass(frozen=True)
class Destination:
    """One receiver. `url` for webhook and hl7_http, `host` and `port` for hl7_mllp; times in seconds.

    `networks`: addresses that are not public and still allowed. `event_types` empty: all. `application`, `facility`:
    the receiver in MSH-5 and 6.
    """

    name: str
    kind: str
    url: str | None = None
    host: str | None = None
    port: int | None = None
    tls: bool = False
    events: tuple[str, ...] = ()
    content: str = "ids"
    secrets: tuple[SecretPlace, ...] = ()
    networks: tuple[Network, ...] = ()
    ca_file: Path | None = None
    timeout_s: float = 10.0
    retry_s: tuple[float, ...] = field(default=RETRY_S)
    application: str = ""
    facility: str = ""

    @property
    def event_types(self) -> frozenset[str]:
        """HL7 carries a panel: one message per version, none for its critical calls alone."""
        return frozenset(self.events or (() if self.kind == WEBHOOK else _PANEL_EVENTS))

    def keys(self, environ: Mapping[str, str] = os.environ) -> tuple[bytes, ...]:
        """The signing keys, newest first; empty for HL7. Raises SettingsError."""
        return tuple(place.read(environ) for place in self.secrets)


class _Network(fields.Field[Any]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Network:
        try:
            return ipaddress.ip_network(value)
        except (ValueError, TypeError):
            raise ValidationError("Must be a network such as 10.20.0.0/16 or one address.") from None


class _SecretSchema(Schema):
    class Meta:
        unknown = RAISE

    env = fields.String(validate=validate.Regexp(r"[A-Za-z_][A-Za-z0-9_]*\Z"))
    file = fields.String(validate=validate.Length(min=1))

    @post_load
    def make(self, loaded: dict[str, Any], **kwargs: Any) -> SecretPlace:
        if len(loaded) != 1:
            raise ValidationError("Name either env (a variable) or file (a path).")
        return SecretPlace(loaded.get("env"), Path(loaded["file"]) if "file" in loaded else None)


class _DestinationSchema(Schema):
    class Meta:
        unknown = RAISE

    name = fields.String(required=True, validate=validate.Regexp(r"[a-z0-9][a-z0-9_-]{0,40}\Z"))
    kind = fields.String(required=True, validate=validate.OneOf((WEBHOOK, HL7_HTTP, HL7_MLLP)))
    url = fields.String()
    host = fields.String(validate=validate.Length(min=1))
    port = fields.Integer(strict=True, validate=validate.Range(1, 65535))
    tls = fields.Boolean()
    events = fields.List(fields.String(validate=validate.OneOf(_EVENTS)))
    content = fields.String(validate=validate.OneOf(("ids", "document")))
    secrets = fields.List(fields.Nested(_SecretSchema))
    networks = fields.List(_Network())
    ca_file = fields.String(validate=validate.Length(min=1))
    timeout_s = fields.Float(validate=validate.Range(min=0.1, max=60))
    application = fields.String(validate=validate.Length(max=180))
    facility = fields.String(validate=validate.Length(max=180))
    retry_s = fields.List(fields.Float(validate=validate.Range(min=0, max=604_800)), validate=validate.Length(max=50))

    @validates_schema(skip_on_field_errors=True)
    def whole(self, data: dict[str, Any], **kwargs: Any) -> None:
        kind, url = data["kind"], urlsplit(data.get("url", ""))
        if kind == HL7_MLLP:
            if "host" not in data or "port" not in data or "url" in data:
                raise ValidationError("An hl7_mllp destination has host and port, and no url.")
        elif url.scheme not in ("http", "https") or not url.hostname or url.username is not None or url.fragment:
            raise ValidationError("Must be https://host/path, without user and fragment.", "url")
        if kind == WEBHOOK and not data.get("secrets"):
            raise ValidationError("A webhook is signed: name at least one secret by env or file.", "secrets")
        if kind != WEBHOOK and (data.get("secrets") or data.get("content")):
            raise ValidationError("secrets and content belong to webhooks.")
        if kind == WEBHOOK and (data.get("application") or data.get("facility")):
            raise ValidationError("application and facility belong to HL7 v2.")

    @post_load
    def make(self, loaded: dict[str, Any], **kwargs: Any) -> Destination:
        several = ("events", "secrets", "networks", "retry_s")
        lists: dict[str, Any] = {name: tuple(loaded[name]) for name in several if name in loaded}
        paths: dict[str, Any] = {"ca_file": Path(loaded["ca_file"])} if "ca_file" in loaded else {}
        return Destination(**{**loaded, **lists, **paths})


class _FileSchema(Schema):
    class Meta:
        unknown = RAISE

    destinations = fields.List(fields.Nested(_DestinationSchema), required=True)


def load_destinations(path: Path) -> tuple[Destination, ...]:
    """The destinations of a file; none if there is no file. Raises SettingsError that names the entry and the key."""
    if not path.is_file():
        return ()
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {"destinations": []}
        loaded: list[Destination] = _FileSchema().load(values)["destinations"]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not readable as YAML: {error}") from None
    except ValidationError as error:
        raise SettingsError(f"{path}: {_first(error.messages)}") from None
    names = [destination.name for destination in loaded]
    if len(names) != len(set(names)):
        raise SettingsError(f"{path}: two destinations have one name; a delivery is known by it.")
    return tuple(loaded)


def _first(messages: Any, place: str = "") -> str:
    """The first of marshmallow's nested messages with its place."""
    if isinstance(messages, Mapping):
        key, inner = next(iter(messages.items()))
        here = "" if key == "_schema" else f"[{key}]" if isinstance(key, int) else f".{key}" if place else str(key)
        return _first(inner, place + here)
    return f"{place}: {messages[0] if isinstance(messages, list) else messages}"

"""Settings: config/default.yaml, then CSFINTERP_* environment variables, read once into one frozen object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from environs import Env, EnvError, validate
from platformdirs import user_data_path

from csfinterp.errors import CsfinterpError

PREFIX = "CSFINTERP_"
PATHS = (
    "data_folder", "editions_folder", "site_rules", "code_maps_folder", "destinations", "demo_folder",
    "mllp_certificate", "mllp_key", "mllp_client_ca",
)  # fmt: skip
ACCESS = ("accounts", "open")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(CsfinterpError):
    """A setting that cannot be used; the message names the variable, the place it was set and what to write instead."""


@dataclass(frozen=True)
class Settings:
    """Everything an operator can choose: config/default.yaml explains each field, each has a CSFINTERP_ variable."""

    config_folder: Path
    data_folder: Path
    database_url: str = field(repr=False)  # may hold a password
    editions_folder: Path
    edition: str
    allow_draft: bool
    site_rules: Path | None
    code_maps_folder: Path
    max_body_bytes: int
    max_observations: int
    max_depth: int
    batch_panels: int
    batch_bytes: int
    page_size: int
    page_size_max: int
    bind: str
    workers: int
    threads: int
    timeout: int
    trusted_proxies: int
    access: str
    secret_key: str | None = field(repr=False)
    session_hours: int
    session_idle_minutes: int
    login_failures: int
    login_lock_minutes: int
    mllp_bind: str
    mllp_connections: int
    mllp_idle: int
    mllp_timeout: int
    mllp_certificate: Path | None
    mllp_key: Path | None
    mllp_client_ca: Path | None
    hl7_processing_ids: tuple[str, ...]
    log_level: str
    destinations: Path
    public_url: str
    keep_delivered_days: int
    demo_folder: Path

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])

    @staticmethod
    def load(environ: Mapping[str, str] = os.environ, config_folder: Path | None = None) -> Settings:
        """The settings in force: packaged default.yaml < the site's own default.yaml < environment.

        `config_folder`: the site's folder; None: CSFINTERP_CONFIG_FOLDER, else the packaged one.
        Raises SettingsError for an unknown key, a wrong value or a folder that is not there.
        """
        packaged = packaged_folder("config")
        chosen = config_folder or Path(environ.get(PREFIX + "CONFIG_FOLDER") or packaged).expanduser()
        texts = _file_values(packaged)
        if chosen.resolve() != packaged.resolve():
            if not chosen.is_dir():
                raise SettingsError(f"{PREFIX}CONFIG_FOLDER: there is no folder {chosen}; name an existing folder.")
            texts |= _file_values(chosen)
        stated = {name: text for name, text in environ.items() if text != ""}  # an empty variable is not set
        reader = _Reader({**texts, **stated})
        try:
            return _read(reader, chosen)
        except EnvError as error:
            raise SettingsError(_sentence(error, texts, environ)) from None


def packaged_folder(name: str) -> Path:
    """The folder that travels with the software: csfinterp/<name> in a wheel, <checkout>/<name> in a checkout."""
    package = Path(__file__).resolve().parent
    return next((folder for folder in (package / name, package.parent / name) if folder.is_dir()), package / name)


class _Reader(Env):
    """An environs reader of a given mapping instead of the process environment."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(prefix=PREFIX)
        self._stated = values

    def _get_value(self, env_key: str, default: object) -> object:
        return self._stated.get(env_key, default)


def _read(env: _Reader, config_folder: Path) -> Settings:
    data_folder = _path(env, "DATA_FOLDER") or user_data_path("csfinterp", appauthor=False)
    at_least_one = validate.Range(min=1)
    return Settings(
        config_folder=config_folder,
        data_folder=data_folder,
        database_url=env.str("DATABASE_URL", None) or f"sqlite:///{data_folder / 'csfinterp.sqlite'}",
        editions_folder=_path(env, "EDITIONS_FOLDER") or packaged_folder("reference_ranges"),
        edition=env.str("EDITION"),
        allow_draft=env.bool("ALLOW_DRAFT"),
        site_rules=_path(env, "SITE_RULES"),
        code_maps_folder=_path(env, "CODE_MAPS_FOLDER") or config_folder / "code_maps",
        max_body_bytes=env.int("MAX_BODY_BYTES", validate=at_least_one),
        max_observations=env.int("MAX_OBSERVATIONS", validate=at_least_one),
        max_depth=env.int("MAX_DEPTH", validate=validate.Range(min=8, max=200)),
        batch_panels=env.int("BATCH_PANELS", validate=at_least_one),
        batch_bytes=env.int("BATCH_BYTES", validate=at_least_one),
        page_size=env.int("PAGE_SIZE", validate=at_least_one),
        page_size_max=env.int("PAGE_SIZE_MAX", validate=at_least_one),
        bind=env.str("BIND", validate=_host_and_port),
        workers=env.int("WORKERS", validate=at_least_one),
        threads=env.int("THREADS", validate=at_least_one),
        timeout=env.int("TIMEOUT", validate=at_least_one),
        trusted_proxies=env.int("TRUSTED_PROXIES", validate=validate.Range(min=0, max=9)),
        access=env.str("ACCESS", validate=validate.OneOf(ACCESS)),
        secret_key=env.str("SECRET_KEY", None, validate=_long_secret),
        session_hours=env.int("SESSION_HOURS", validate=at_least_one),
        session_idle_minutes=env.int("SESSION_IDLE_MINUTES", validate=at_least_one),
        login_failures=env.int("LOGIN_FAILURES", validate=at_least_one),
        login_lock_minutes=env.int("LOGIN_LOCK_MINUTES", validate=at_least_one),
        mllp_bind=env.str("MLLP_BIND", validate=_host_and_port),
        mllp_connections=env.int("MLLP_CONNECTIONS", validate=at_least_one),
        mllp_idle=env.int("MLLP_IDLE", validate=at_least_one),
        mllp_timeout=env.int("MLLP_TIMEOUT", validate=at_least_one),
        mllp_certificate=_path(env, "MLLP_CERTIFICATE"),
        mllp_key=_path(env, "MLLP_KEY"),
        mllp_client_ca=_path(env, "MLLP_CLIENT_CA"),
        hl7_processing_ids=tuple(env.list("HL7_PROCESSING_IDS", validate=_processing_ids)),
        log_level=env.str("LOG_LEVEL", validate=validate.OneOf(LOG_LEVELS)),
        destinations=_path(env, "DESTINATIONS") or config_folder / "destinations.yaml",
        public_url=env.str("PUBLIC_URL", "", validate=_web_address).rstrip("/"),
        keep_delivered_days=env.int("KEEP_DELIVERED_DAYS", validate=validate.Range(min=0)),
        demo_folder=_path(env, "DEMO_FOLDER") or data_folder / "demo",
    )


def _path(env: _Reader, name: str) -> Path | None:
    text = env.str(name, None)
    return Path(text).expanduser().absolute() if text else None


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise validate.ValidationError("Must be HOST:PORT, for example 127.0.0.1:8000.")
    return text


def _long_secret(text: str) -> str:
    if len(text) < 32:
        raise validate.ValidationError("Must have at least 32 characters: openssl rand -base64 32.")
    return text


def _processing_ids(values: list[str]) -> list[str]:
    if not values or not all(len(value) == 1 and value.isascii() and value.isupper() for value in values):
        raise validate.ValidationError("Must be letters of MSH-11 with commas between, for example P or P,T.")
    return values


def _web_address(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise validate.ValidationError("Must be an address such as https://csf.example.org.")
    return text


def _file_values(folder: Path) -> dict[str, str]:
    """The keys of <folder>/default.yaml as environment texts; relative paths start at the folder. No file: none."""
    path = folder / "default.yaml"
    if not path.is_file():
        return {}
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not readable as YAML: {error}") from None
    known = {name for name in Settings.__dataclass_fields__ if name != "config_folder"}
    if not isinstance(values, dict) or not values.keys() <= known:
        unknown = ", ".join(sorted(map(str, set(values) - known)))
        raise SettingsError(f"{path}: unknown settings: {unknown}. Known are: {', '.join(sorted(known))}.")
    return {PREFIX + name.upper(): _text(name, value, folder) for name, value in values.items() if value is not None}


def _text(name: str, value: object, folder: Path) -> str:
    return str(folder / Path(str(value)).expanduser()) if name in PATHS else str(value)


def _sentence(error: EnvError, texts: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """environs' message, with the place where the value was set and without the value itself (it may be a secret)."""
    text = str(error)
    name = next((word.strip('"') for word in text.split() if word.strip('"').startswith(PREFIX)), "")
    place = "set in the environment" if environ.get(name) else "set in default.yaml" if name in texts else "not set"
    return f"{text} ({place}; config/default.yaml explains every setting)"

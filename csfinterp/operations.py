"""What operators and stewards do: open the service on its database, bring tables up to date, check and sign editions.

The doors call these, so that none of them touches the store or the knowledge itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from csfinterp import knowledge
from csfinterp.accounts import Accounts
from csfinterp.delivery import Worker, load_destinations
from csfinterp.errors import EditionError
from csfinterp.service import Service
from csfinterp.settings import Settings, SettingsError
from csfinterp.store import Store, open_engine, open_store, revisions, stamp, upgrade
from csfinterp.store.audit import Audit, Deed
from csfinterp.store.copying import copy
from csfinterp.store.outbox import DEAD, Delivery, Subscription


@dataclass(frozen=True)
class Trust:
    """Accounts and audit of a database, without knowledge: enough for the commands that keep them."""

    accounts: Accounts
    audit: Audit


def trust(settings: Settings) -> Trust:
    """Raises StoreError."""
    store = open_store(settings.database_url)
    return Trust(Accounts(settings, store), store.audit)


def exported(after: int) -> Deed:
    """What the audit says of its own export."""
    return Deed("exported", details={"after": after})


def check_access(settings: Settings) -> str | None:
    """Raises SettingsError where a network could reach what nobody keeps; returns a hint for the operator, if any."""
    if settings.access == "open":
        if not is_loopback(settings.bind):
            raise SettingsError(
                f"CSFINTERP_ACCESS is open, so {settings.bind} would show every patient to the network. Set it to"
                " accounts, or bind to 127.0.0.1."
            )
        return "access is open: everybody on this machine may do everything"
    able, demo = trust(settings).accounts.able()
    if not is_loopback(settings.bind):
        if not able:
            raise SettingsError(
                f"There is no account yet, so {settings.bind} must not be opened to the network. Make one first:"
                " csfinterp user add NAME --role administrator."
            )
        if demo:
            raise SettingsError(
                "This database has demo accounts. Use a database of its own, or end them: csfinterp user disable NAME."
            )
    return None if able else "there are no accounts yet: csfinterp user add NAME --role laboratory --role clinician"


def is_loopback(bind: str) -> bool:
    """True if HOST:PORT can be reached from this machine only."""
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_service(settings: Settings) -> Service:
    """The service on its own database, whose tables are brought to the newest revision first.

    Every version that it writes is noted for the destinations that are set up now. Raises also SettingsError.
    """
    return Service(settings, open_outbox(settings))


def open_outbox(settings: Settings) -> Store:
    """The store whose outbox knows the destinations of the site. Raises SettingsError, StoreError."""
    destinations = load_destinations(settings.destinations)
    store = open_store(settings.database_url)
    store.outbox.subscriptions = tuple(Subscription(one.name, one.event_types) for one in destinations)
    return store


def delivery_worker(settings: Settings) -> Worker:
    """A worker for every destination of the site. Raises SettingsError, also if there is no destination."""
    destinations = load_destinations(settings.destinations)
    if not destinations:
        raise SettingsError(f"There is no destination: write {settings.destinations} (see config/README.md).")
    return Worker(open_outbox(settings), destinations, settings.public_url, keep_days=settings.keep_delivered_days)


def replay(
    settings: Settings, destination: str, event_ids: Sequence[str], *, every: bool, since: datetime | None
) -> int:
    """Deliveries of a destination that wait again: those that are dead, with `every` also what was sent or never was.

    `since`: only events from this time (with zone) on. Raises SettingsError for a destination that is not set up.
    """
    store = open_outbox(settings)
    if destination not in {one.destination for one in store.outbox.subscriptions}:
        raise SettingsError(f"There is no destination {destination!r} in {settings.destinations}.")
    state, begin = None if every else DEAD, stamp(since) if since else None
    store.audit.note([Deed("replayed", details={"destination": destination})])
    return store.outbox.replay(stamp(datetime.now(UTC)), destination, state, event_ids, begin)


def deliveries(settings: Settings, destination: str | None, state: str | None, limit: int) -> list[Delivery]:
    """What is on its way, was sent or is dead, the newest first."""
    return open_outbox(settings).outbox.listed(destination, state, limit)


def stateless_service(settings: Settings) -> Service:
    """A service for `interpret` and `interpret_many` alone: there is no store, so no file is made."""
    return Service(settings, cast(Store, None))


def upgrade_database(settings: Settings) -> None:
    """Bring the tables to the newest revision. Raises StoreError."""
    upgrade(open_engine(settings.database_url))


def database_revisions(settings: Settings) -> tuple[str | None, str | None]:
    """(revision of the database or None, newest revision of this software). Raises StoreError."""
    return revisions(open_engine(settings.database_url))


def copy_database(source_url: str, target_url: str) -> Mapping[str, int]:
    """A whole store into an empty database; rows by table. Raises StoreError, and the target is as before."""
    copied = copy(open_engine(source_url), open_engine(target_url))
    open_store(target_url).audit.note([Deed("copied", details={"rows": sum(copied.values())})])
    return copied


def check_edition(settings: Settings, name: str) -> tuple[EditionError, ...]:
    """The slips of an edition, each with file and line; empty if there is none. `name`: id or folder.

    Files that are not readable as YAML come first, and alone: the rest is checked once they are mended.
    """
    return knowledge.check_edition(edition_folder(settings, name))


def new_edition(settings: Settings, new_id: str, from_id: str) -> Path:
    """A draft copy of an edition under a new id; returns its folder. Raises EditionError."""
    return knowledge.new_edition(settings.editions_folder, new_id, from_id)


def diff_editions(settings: Settings, before: str, after: str) -> tuple[str, ...]:
    """Lines `analyte/row: old -> new` and the impacted analytes and profiles. Raises EditionError."""
    old, new = (knowledge.load_edition(edition_folder(settings, name)) for name in (before, after))
    return knowledge.diff_editions(old, new)


def release_edition(settings: Settings, name: str, released_on: date) -> str:
    """Sign a checked draft: writes its seal and returns the digest. Raises EditionError."""
    return knowledge.release_edition(edition_folder(settings, name), released_on)


def edition_folder(settings: Settings, name: str) -> Path:
    """The folder of an edition given by id, or by the path of its folder. Raises EditionError if there is none."""
    for folder in (settings.editions_folder / name, Path(name)):
        if (folder / "edition.yaml").is_file():
            return folder
    raise EditionError(
        f"There is no edition {name!r} in {settings.editions_folder}; give an id or the path of a folder."
    )

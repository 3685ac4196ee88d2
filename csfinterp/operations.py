"""What operators and stewards do: open the service on its database, bring tables up to date, check and sign editions.

The doors call these, so that none of them touches the store or the knowledge itself.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

from csfinterp import knowledge
from csfinterp.errors import EditionError
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.store import Store, open_engine, open_store, revisions, upgrade


def open_service(settings: Settings) -> Service:
    """The service on its own database, whose tables are brought to the newest revision first."""
    return Service(settings, open_store(settings.database_url))


def stateless_service(settings: Settings) -> Service:
    """A service for `interpret` and `interpret_many` alone: there is no store, so no file is made."""
    return Service(settings, cast(Store, None))


def upgrade_database(settings: Settings) -> None:
    """Bring the tables to the newest revision. Raises StoreError."""
    upgrade(open_engine(settings.database_url))


def database_revisions(settings: Settings) -> tuple[str | None, str | None]:
    """(revision of the database or None, newest revision of this software). Raises StoreError."""
    return revisions(open_engine(settings.database_url))


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

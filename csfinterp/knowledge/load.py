"""A folder of YAML -> one immutable Edition, or the slips that stand in its way."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from csfinterp.errors import EditionError
from csfinterp.knowledge import seal
from csfinterp.knowledge.document import Map
from csfinterp.knowledge.folder import Reading
from csfinterp.knowledge.listing import misnamed
from csfinterp.model.edition import Edition


def load_edition(folder: Path) -> Edition:
    """The edition of `folder`, checked. EditionError (message, file, line) for the first slip or a broken seal."""
    return _load(Path(folder).resolve(), seal.digest(_existing(folder)), _seal_text(folder))


@lru_cache(maxsize=8)
def _load(folder: Path, digest: str, seal_text: str | None) -> Edition:
    """Editions are immutable: the same bytes give the same object. `seal_text` is part of what decides."""
    reading = Reading(folder, digest)
    # A released edition passed the slow laws when it was sealed, and its seal is intact.
    edition = reading.edition(thorough=reading.status != "released")
    if edition is None:
        raise reading.slips.sorted()[0]
    return edition


def check_edition(folder: Path) -> tuple[EditionError, ...]:
    """Every slip of the edition in `folder`, sorted by file and line; empty if it is sound.

    A file that is not readable as YAML and a broken seal come first and alone; then the form of the entries; the laws
    between files are asked once each file by itself is well formed.
    """
    try:
        reading = Reading(_existing(folder), seal.digest(_existing(folder)))
    except EditionError as slip:
        return (slip,)
    reading.edition(thorough=True)
    header = reading.documents.get("edition.yaml")
    wrong = misnamed(folder, header.get("id"), header.line_of("id")) if isinstance(header, Map) else None
    return (*reading.slips.sorted(), *((wrong,) if wrong is not None else ()))


def _existing(folder: Path) -> Path:
    if not (Path(folder) / "edition.yaml").is_file():
        raise EditionError("no edition here: the folder must hold edition.yaml", str(folder))
    return Path(folder)


def _seal_text(folder: Path) -> str | None:
    path = Path(folder) / seal.SEAL
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

"""The editions in one folder: what each says of itself, and which of them cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from csfinterp.errors import EditionError
from csfinterp.knowledge import schema, seal
from csfinterp.knowledge.document import Slips, read_yaml
from csfinterp.knowledge.shape import load_entry

BROKEN = "broken"


@dataclass(frozen=True)
class EditionInfo:
    """What a list of editions shows of one of them.

    `status`: released, draft, or broken for a folder that cannot say what it is; `problem` then says why, and `id` is
    the name of the folder.
    """

    id: str
    status: str
    digest: str
    title: str
    folder: Path
    problem: EditionError | None = None


def list_editions(root: Path) -> tuple[EditionInfo, ...]:
    """The editions in the folders of `root`, by id; a broken one never hides the others.

    Only the header is read. A folder whose name is not the id of its edition is broken, so that no copy can stand in
    for the edition that was signed.
    """
    folders = sorted(path.parent for path in Path(root).glob("[!.]*/edition.yaml"))
    return tuple(sorted(map(_info, folders), key=lambda info: _version(info.id)))


def misnamed(folder: Path, edition_id: object, line: int | None = None) -> EditionError | None:
    """The refusal of a folder that is not named as its edition; None if it is."""
    name = Path(folder).absolute().name
    if name == edition_id:
        return None
    message = f"the folder {name!r} holds edition {edition_id!r}; give the folder the id of its edition as name"
    return EditionError(message, str(Path(folder) / "edition.yaml"), line)


def _version(name: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in name.split("."))


def _info(folder: Path) -> EditionInfo:
    digest = ""
    try:
        digest = seal.digest(folder)
        return _header(folder, digest)
    except EditionError as slip:
        problem = slip
    except OSError as error:
        problem = EditionError(f"a file of the edition cannot be read: {error.strerror}", str(folder))
    return EditionInfo(folder.name, BROKEN, digest, "", folder, problem)


def _header(folder: Path, digest: str) -> EditionInfo:
    slips, name = Slips(), str(folder / "edition.yaml")
    entry = load_entry(schema.EditionSchema, read_yaml(folder / "edition.yaml", name), name, slips)
    if entry is None:
        raise slips.sorted()[0]
    wrong = misnamed(folder, entry["id"], entry["at"].line_of("id"))
    if wrong is not None:
        raise wrong
    return EditionInfo(entry["id"], entry["status"], digest, entry["title"], folder)

"""The digest of an edition folder, its seal file, and the release that writes it."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import date
from pathlib import Path

from csfinterp.errors import EditionError

SEAL = "seal.sha256"
EDITION_ID = re.compile(r"[0-9]{4}\.[0-9]+\Z")
_PREFIX = "sha256:"


def edition_files(folder: Path) -> tuple[str, ...]:
    """Relative posix paths of every file of the edition but its seal, sorted."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(name for name in found if name != SEAL))


def digest(folder: Path) -> str:
    """`sha256:<hex>` over paths and contents; CRLF counts as LF, so that a Windows checkout has the same digest."""
    total = hashlib.sha256()
    for name in edition_files(folder):
        total.update(name.encode() + b"\0" + (folder / name).read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return _PREFIX + total.hexdigest()


def sealed_digest(folder: Path) -> str | None:
    """The digest that the seal file states; None without a seal. EditionError if the file holds something else."""
    path = folder / SEAL
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", text):
        raise EditionError("the seal is not one line sha256:<hex>; restore it from the release", str(path), 1)
    return text


def check_seal(folder: Path, status: str, found: str) -> None:
    """EditionError if a released edition has no seal or another digest, or if a draft carries a seal."""
    sealed, place = sealed_digest(folder), str(folder / SEAL)
    if status == "draft":
        if sealed is not None:
            raise EditionError(
                "a draft has no seal; remove this file, or set the status in edition.yaml back", place, 1
            )
        return
    if sealed is None:
        raise EditionError(
            "the edition is released but has no seal: restore the seal of its release, or set status: draft and "
            "released_on: null in edition.yaml and run: csfinterp edition release",
            place,
        )
    if sealed != found:
        raise EditionError(
            f"this released edition was changed after its release (sealed {sealed[:19]}…, now {found[:19]}…). "
            "A released edition never changes: restore the folder from its release, "
            "and put the change into a new edition (csfinterp edition new NEW_ID --from OLD_ID)",
            place,
            1,
        )


def write_atomically(path: Path, data: bytes) -> None:
    """Writes beside the target and moves into place, so that an interrupted run leaves the old file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    beside.write_bytes(data)
    beside.replace(path)


def edit_keys(text: str, changes: dict[str, str]) -> str:
    """`text` with the top-level keys of `changes` set to the given YAML words; comments and other lines stay."""
    for key, value in changes.items():
        pattern = re.compile(rf"^{re.escape(key)}:[^\n#]*?(?P<comment>[ \t]+#[^\n]*)?$", re.MULTILINE)
        found = pattern.search(text)
        if found is None:
            raise EditionError(f"the key {key} is missing", "edition.yaml")
        text = f"{text[: found.start()]}{key}: {value}{found['comment'] or ''}{text[found.end() :]}"
    return text


def seal_folder(folder: Path, released_on: date) -> str:
    """Sets status and date in edition.yaml, writes the seal, returns the digest. The caller has checked the edition."""
    path = folder / "edition.yaml"
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    changed = edit_keys(text, {"status": "released", "released_on": f'"{released_on.isoformat()}"'})
    write_atomically(path, changed.encode())
    found = digest(folder)
    write_atomically(folder / SEAL, f"{found}\n".encode())
    return found

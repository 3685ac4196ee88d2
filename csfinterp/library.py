"""The editions in force: loaded once, with the site's rules, compiled once; and an edition as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from csfinterp import knowledge
from csfinterp.errors import DocumentError, EditionError, Fault, NotFoundError
from csfinterp.knowledge import EditionInfo
from csfinterp.model.cohort import CodeKey
from csfinterp.model.edition import Edition, SiteRules
from csfinterp.model.panel import Observation, Panel
from csfinterp.settings import Settings
from csfinterp.steps.pipeline import Core

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


# A code of the wrong or an unclear specimen names an analyte that may well be of CSF: kept, with the issue (RU12).
_MISPLACED = ("wrong_specimen_code", "specimen_ambiguous", "specimen_not_stated")
_BLOOD = ("serum", "plasma", "blood")
_CHANGED = (
    "The folder of this edition changed after it was loaded; answers still come from what is shown here. Restore the"
    " folder from its release, then restart the service."
)


@dataclass(frozen=True)
class Known:
    """An edition, the site's options applied, and its compiled core."""

    edition: Edition
    core: Core

    def refusal(self, panel: Panel) -> DocumentError | None:
        """The error that answers a panel without any known analyte of CSF; None for every other panel."""
        if any(self._names_csf(panel, observation) for observation in panel.observations):
            return None
        message = (
            "No observation is a known analyte of CSF, so there is nothing to interpret. Send analyte ids"
            " (GET /api/v1/analytes), LOINC codes with system http://loinc.org, or codes of the site's code map."
        )
        return DocumentError(message, (Fault("/observations", message),))

    def _names_csf(self, panel: Panel, observation: Observation) -> bool:
        code = observation.code
        key = CodeKey(
            panel.source.system, code.system, code.code, code.display, observation.specimen, panel.specimen.type
        )
        identity = self.core.identifier.identity(key)
        name = self.core.layout.statements[identity.row] if identity.row >= 0 else identity.meant
        analyte = self.edition.analyte.get(name or "")
        return identity.issue in _MISPLACED or (analyte is not None and analyte.specimen not in _BLOOD)


@dataclass(frozen=True)
class Mapped:
    """An edition with one more code map: `id` of the map, `source` that it reads, `digest` of its file."""

    known: Known
    id: str
    source: str
    digest: str


class Library:
    """The editions that this site may use. Thread-safe: an edition is loaded once, by whoever asks first.

    Raises EditionError if the site's rules or code maps cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._site_rules = knowledge.load_site_rules(settings.site_rules, settings.code_maps_folder)
        self._loaded: dict[str, Known] = {}
        self._loading = Lock()

    def editions(self) -> tuple[EditionInfo, ...]:
        """The editions in the editions folder, drafts and broken ones too, by id.

        One that is loaded shows what is loaded, also if its folder changed or went away since; `problem` says so.
        """
        found = {info.id: info for info in knowledge.list_editions(self._settings.editions_folder)}
        for known in tuple(self._loaded.values()):
            edition = known.edition
            if edition.id not in found or found[edition.id].digest != edition.digest:
                folder = self._settings.editions_folder / edition.id
                found[edition.id] = EditionInfo(
                    edition.id, edition.status, edition.digest, edition.title, folder, EditionError(_CHANGED)
                )
        return tuple(found.values())

    def known(self, edition_id: str | None = None) -> Known:
        """An edition and its core; None: the edition in force.

        Raises NotFoundError if there is none of this id, EditionError for a broken one, a draft (unless the settings
        allow drafts), a broken seal or an option of the site that the edition does not have.
        """
        wanted = edition_id or self._settings.edition
        found = self._loaded.get(wanted)
        if found is not None:
            return found
        with self._loading:
            if wanted not in self._loaded:
                self._loaded[wanted] = self._load(wanted)
            return self._loaded[wanted]

    def with_code_map(self, known: Known, path: Path) -> Mapped:
        """An edition that also reads the local codes of one more sender, whose own map of the site it replaces.

        The digest of the site's choice then covers the map, too. Raises EditionError with file and line.
        """
        code_map = knowledge.load_code_map(path)
        rules = known.edition.site_rules or SiteRules("default", "")
        digest = f"sha256:{sha256(rules.digest.encode() + path.read_bytes()).hexdigest()}"
        others = tuple(found for found in rules.code_maps if found.source != code_map.source)
        chosen = replace(self._site_rules, code_maps=(*others, code_map), digest=digest)
        info = next(
            info for info in knowledge.list_editions(self._settings.editions_folder) if info.id == known.edition.id
        )
        edition = knowledge.apply_site_rules(knowledge.load_edition(info.folder), chosen)
        content = f"sha256:{sha256(path.read_bytes()).hexdigest()}"
        return Mapped(Known(edition, Core(edition)), code_map.id, code_map.source, content)

    def _load(self, edition_id: str) -> Known:
        folder = self._settings.editions_folder
        info = next((info for info in knowledge.list_editions(folder) if info.id == edition_id), None)
        if info is None and edition_id == self._settings.edition:  # loaded at the start: this is for the operator
            raise NotFoundError(
                f"There is no edition {edition_id} (CSFINTERP_EDITION) in {folder} (CSFINTERP_EDITIONS_FOLDER)."
            )
        if info is None:
            raise NotFoundError("There is no such edition; GET /api/v1/editions lists them.")
        if info.problem is not None:
            raise info.problem
        if info.status != "released" and not self._settings.allow_draft:
            raise EditionError("This edition is a draft; release it, or set CSFINTERP_ALLOW_DRAFT to try it out.")
        edition = knowledge.apply_site_rules(knowledge.load_edition(info.folder), self._site_rules)
        return Known(edition, Core(edition))


def as_data(value: DataclassInstance) -> dict[str, object]:
    """An edition, or a part of one, as plain JSON types; a predicate also says its kind and its sentence."""
    said = {"kind": type(value).__name__, "sentence": value.sentence()} if hasattr(value, "sentence") else {}
    return {**said, **{item.name: _plain(getattr(value, item.name)) for item in fields(value)}}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return as_data(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Fraction) else value

"""The editions in force: loaded once, with the site's rules, compiled once; and an edition as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from threading import Lock
from typing import TYPE_CHECKING

from csfinterp import knowledge
from csfinterp.errors import EditionError, NotFoundError
from csfinterp.knowledge import EditionInfo
from csfinterp.model.edition import Edition
from csfinterp.settings import Settings
from csfinterp.steps.pipeline import Core

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class Known:
    """An edition, the site's options applied, and its compiled core."""

    edition: Edition
    core: Core


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
        """The editions in the editions folder, usable or not."""
        return knowledge.list_editions(self._settings.editions_folder)

    def known(self, edition_id: str | None = None) -> Known:
        """An edition and its core; None: the edition in force.

        Raises NotFoundError if there is none of this id, EditionError for a draft (unless the settings allow drafts),
        a broken seal or an option of the site that the edition does not have.
        """
        wanted = edition_id or self._settings.edition
        found = self._loaded.get(wanted)
        if found is not None:
            return found
        with self._loading:
            if wanted not in self._loaded:
                self._loaded[wanted] = self._load(wanted)
            return self._loaded[wanted]

    def _load(self, edition_id: str) -> Known:
        info = next((info for info in self.editions() if info.id == edition_id), None)
        if info is None:
            raise NotFoundError("There is no such edition; GET /api/v1/editions lists them.")
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

"""What a site chose: named options and code maps, read from config/ and put into an edition."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from csfinterp.errors import EditionError
from csfinterp.knowledge import schema
from csfinterp.knowledge.document import Slips, read_yaml
from csfinterp.knowledge.law_numbers import critical_flaws
from csfinterp.knowledge.options import apply_option
from csfinterp.knowledge.partitions import ages_meet
from csfinterp.knowledge.shape import Entry, LoadedEntry, load_entry
from csfinterp.model.edition import CodeMap, Edition, NamedOption, SiteRules

DEFAULT = "default"


def load_code_map(path: Path) -> CodeMap:
    """The local codes of one sender. EditionError with file and line."""
    entry = _entry(schema.CodeMapSchema, path)
    return CodeMap(
        id=entry["id"],
        source=entry["source"],
        codes=dict(entry["codes"]),
        words={name: dict(words) for name, words in entry["words"].items()},
        decimal_comma=entry["decimal_comma"],
        default_units=dict(entry["default_units"]),
    )


def load_site_rules(path: Path | None, code_maps_folder: Path | None) -> SiteRules:
    """The site's choice; without a file nothing is chosen. EditionError with file and line.

    The digest covers the file and every code map that it names: it names exactly this choice in every answer.
    """
    if path is None:
        return SiteRules(DEFAULT, _digest(()))
    entry = _entry(schema.SiteRulesSchema, path)
    at = entry["at"]
    if len(set(entry["options"])) < len(entry["options"]):
        raise EditionError("an option stands twice", at.file, at.line_of("options"))
    files = []
    for name in entry["code_maps"]:
        file = None if code_maps_folder is None else Path(code_maps_folder) / f"{name}.yaml"
        if file is None or not file.is_file():
            raise EditionError(f"no code map {name!r} in the folder of code maps", at.file, at.line_of("code_maps"))
        files.append(file)
    maps = tuple(load_code_map(file) for file in files)
    return SiteRules(entry["id"], _digest((path, *files)), tuple(entry["options"]), maps)


def _entry(kind: type[Entry], path: Path) -> LoadedEntry:
    slips = Slips()
    entry = load_entry(kind, read_yaml(Path(path), str(path)), str(path), slips)
    if entry is None:
        raise slips.sorted()[0]
    return entry


def _digest(files: tuple[Path, ...]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(Path(file).name.encode() + b"\0" + Path(file).read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return f"sha256:{total.hexdigest()}"


def apply_site_rules(edition: Edition, rules: SiteRules) -> Edition:
    """The edition as this site uses it. EditionError for an option that it does not have or that cannot be chosen."""
    chosen = [_option(edition, name, rules) for name in rules.options]
    _refuse_rivals(chosen, rules)
    changed = edition
    for option in chosen:
        changed = apply_option(changed, option)
    for message in critical_flaws(changed) if chosen else ():
        raise EditionError(f"site rules {rules.id!r}: with these options {message}")
    for code_map in rules.code_maps:
        _check_code_map(edition, code_map)
    return replace(changed, site_rules=rules)


def _option(edition: Edition, name: str, rules: SiteRules) -> NamedOption:
    option = next((option for option in edition.options if option.id == name), None)
    if option is None:
        selectable = ", ".join(option.id for option in edition.options if option.selectable)
        raise EditionError(f"site rules {rules.id!r}: edition {edition.id} has no option {name!r}; it has {selectable}")
    if not option.selectable:
        raise EditionError(f"site rules {rules.id!r}: option {name!r} is information only and cannot be chosen")
    return option


def _refuse_rivals(chosen: list[NamedOption], rules: SiteRules) -> None:
    """Two options that state rows for the same analyte, age and site contradict each other."""
    for place, first in enumerate(chosen):
        for second in chosen[place + 1 :]:
            if first.analyte == second.analyte and any(
                set(one.sites) & set(other.sites)
                and (one.when is None) == (other.when is None)
                and ages_meet((one.age_from, one.age_to), (other.age_from, other.age_to))
                for one in first.intervals
                for other in second.intervals
            ):
                raise EditionError(
                    f"site rules {rules.id!r}: {first.id} and {second.id} state the same rows; choose one"
                )


def _check_code_map(edition: Edition, code_map: CodeMap) -> None:
    named = (*code_map.codes.values(), *code_map.words, *code_map.default_units)
    for name in named:
        if name not in edition.analyte:
            raise EditionError(f"code map {code_map.id!r}: unknown analyte {name!r}")
    for name, words in code_map.words.items():
        known = {value.word for value in edition.analyte[name].values}
        for word in words.values():
            if word not in known:
                raise EditionError(f"code map {code_map.id!r}: {name} has no word {word!r}")
    for name, unit in code_map.default_units.items():
        if unit not in edition.analyte[name].units:
            raise EditionError(
                f"code map {code_map.id!r}: {name} is not accepted in {unit!r}; write a UCUM code of its units"
            )

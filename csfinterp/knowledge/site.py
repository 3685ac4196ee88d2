"""What a site chose: named options, code maps, assay limits, scores; read from config/ and put into an edition."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from csfinterp.errors import EditionError
from csfinterp.knowledge import schema_site
from csfinterp.knowledge.coefficients import with_models
from csfinterp.knowledge.document import Map, Slips, read_yaml
from csfinterp.knowledge.law_numbers import critical_flaws
from csfinterp.knowledge.law_references import ID, LIMITS
from csfinterp.knowledge.options import apply_option
from csfinterp.knowledge.partitions import ages_meet
from csfinterp.knowledge.shape import Entry, LoadedEntry, load_entry
from csfinterp.knowledge.vocabulary import Measure, Vocabulary
from csfinterp.model.edition import CodeMap, Edition, NamedOption, SiteRules

DEFAULT = "default"
PLATFORM_LIMIT, SITE_LIMIT = LIMITS


def load_code_map(path: Path) -> CodeMap:
    """The local codes of one sender. EditionError with file and line."""
    entry = _entry(schema_site.CodeMapSchema, path)
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

    The digest covers the file and every code map and coefficient file that it names: it names exactly this choice in
    every answer. Limits are read here as texts; `apply_site_rules` converts them.
    """
    if path is None:
        return SiteRules(DEFAULT, _digest(()))
    path = Path(path)
    entry = _entry(schema_site.SiteRulesSchema, path)
    at: Map = entry["at"]
    for key in ("options", "code_maps", "scores_on", "coefficients", "former_coefficients"):
        if len(set(entry[key])) < len(entry[key]):
            raise EditionError(f"{key}: a name stands twice", at.file, at.line_of(key))
    maps = [_code_map_file(name, code_maps_folder, at) for name in entry["code_maps"]]
    code_maps = tuple(load_code_map(file) for file in maps)
    _refuse_rival_maps(code_maps, at)
    models, former = (_beside(entry[key], path.parent, at, key) for key in ("coefficients", "former_coefficients"))
    return SiteRules(
        id=entry["id"],
        digest=_digest((path, *maps, *models.values(), *former.values())),
        options=tuple(entry["options"]),
        code_maps=code_maps,
        limit_texts=dict(entry["assay_limits"]),
        platform_texts=dict(entry["ctc_platforms"]),
        scores_on=tuple(entry["scores_on"]),
        assay_comparable=entry["assay_comparable"],
        coefficients={name: _text_of(file) for name, file in models.items()},
        former_coefficients={name: _text_of(file) for name, file in former.items()},
        file=at.file,
        lines=_lines(at),
    )


def _code_map_file(name: str, folder: Path | None, at: Map) -> Path:
    file = None if folder is None else Path(folder) / f"{name}.yaml"
    if file is None or not file.is_file():
        raise EditionError(f"no code map {name!r} in the folder of code maps", at.file, at.line_of("code_maps"))
    return file


def _refuse_rival_maps(code_maps: tuple[CodeMap, ...], at: Map) -> None:
    """A sender has one code map: of two, one would be passed over unseen."""
    seen: dict[str, CodeMap] = {}
    for code_map in code_maps:
        first = seen.setdefault(code_map.source, code_map)
        if first is not code_map:
            message = f"code maps {first.id!r} and {code_map.id!r} both have source {code_map.source!r}; join them"
            raise EditionError(message, at.file, at.line_of("code_maps"))


def _beside(names: list[str], folder: Path, at: Map, key: str) -> dict[str, Path]:
    """Coefficient files stand beside the site rules or below them."""
    for name in names:
        if not (folder / name).is_file():
            message = f"no coefficient file {name!r}; write its path from the folder of the site rules"
            raise EditionError(message, at.file, at.line_of(key))
    return {name: folder / name for name in names}


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise EditionError("the coefficient file cannot be read as UTF-8", str(file)) from None


def _lines(at: Map) -> dict[str, int]:
    """Line of every key and of every entry of its mappings, `assay_limits.csf_il10`."""
    lines = {key: at.line_of(key) for key in at}
    for key, value in at.items():
        if isinstance(value, Map):
            lines |= {f"{key}.{name}": value.line_of(name) for name in value}
    return lines


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
    """The edition as this site uses it: limits converted to canonical units, coefficient files read and checked.

    EditionError for a choice that the edition does not have, that cannot be chosen or that contradicts it.
    """
    chosen = [_option(edition, name, rules) for name in rules.options]
    _refuse_rivals(chosen, rules)
    changed = edition
    for option in chosen:
        changed = apply_option(changed, option)
    for message in critical_flaws(changed) if chosen else ():
        raise _slip(rules, f"with these options {message}", "options")
    for code_map in rules.code_maps:
        _check_code_map(edition, code_map)
    for name in rules.scores_on:
        if name not in {score.id for score in edition.scores}:
            known = ", ".join(score.id for score in edition.scores if not score.default_on) or "none"
            raise _slip(rules, f"edition {edition.id} has no score {name!r}; off by default: {known}", "scores_on")
    return with_models(replace(changed, site_rules=_with_limits(edition, rules)), rules.former_coefficients)


def _slip(rules: SiteRules, message: str, *keys: str) -> EditionError:
    """The error at the line of the innermost of `keys` that the site rules state."""
    line = next((rules.lines[key] for key in keys if key in rules.lines), None)
    return EditionError(f"site rules {rules.id!r}: {message}", rules.file, line)


def _with_limits(edition: Edition, rules: SiteRules) -> SiteRules:
    """Limits in canonical units; only those that a rule of the edition asks for, so that none is stated in vain."""
    limited = {name for item in edition.derived if item.function == SITE_LIMIT for name in item.inputs}
    for name in rules.limit_texts:
        if name not in limited:
            known = ", ".join(sorted(limited)) or "none"
            message = f"no rule of edition {edition.id} asks for an assay limit of {name!r}; it asks for {known}"
            raise _slip(rules, message, f"assay_limits.{name}")
    platform = next((item.inputs[0] for item in edition.derived if item.function == PLATFORM_LIMIT), None)
    if rules.platform_texts and platform is None:
        raise _slip(rules, f"no rule of edition {edition.id} asks for a limit by platform", "ctc_platforms")
    for name in rules.platform_texts:
        if not ID.match(name):
            message = f"write the platform {name!r} in small letters, digits and single _, like cellsearch"
            raise _slip(rules, message, f"ctc_platforms.{name}")
    return replace(
        rules,
        assay_limits={
            name: _number(edition, rules, text, name, f"assay_limits.{name}")
            for name, text in rules.limit_texts.items()
        },
        ctc_platforms={
            name: _number(edition, rules, text, platform or "", f"ctc_platforms.{name}")
            for name, text in rules.platform_texts.items()
        },
    )


def _number(edition: Edition, rules: SiteRules, text: str, analyte: str, key: str) -> float:
    """`"23 pg/mL"` in the canonical unit of `analyte`; a limit lies above zero."""
    known = edition.analyte[analyte]
    molar = edition.units.molar_masses.get(known.molar_mass or "")
    words = Vocabulary(edition.units, {analyte: Measure(known.unit or "", molar)}, {})
    try:
        value, _ = words.number(text, analyte, "", None)
    except EditionError as slip:
        raise _slip(rules, slip.message, key) from None
    if value <= 0:
        raise _slip(rules, f"the limit of {analyte} must lie above zero", key)
    return value


def _option(edition: Edition, name: str, rules: SiteRules) -> NamedOption:
    option = next((option for option in edition.options if option.id == name), None)
    if option is None:
        selectable = ", ".join(option.id for option in edition.options if option.selectable)
        raise _slip(rules, f"edition {edition.id} has no option {name!r}; it has {selectable}", "options")
    if not option.selectable:
        raise _slip(rules, f"option {name!r} is information only and cannot be chosen", "options")
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
                raise _slip(rules, f"{first.id} and {second.id} state the same rows; choose one", "options")


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

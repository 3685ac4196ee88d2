"""The context words of the contract as fields of a form, in the order in which a clinician thinks of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from csfinterp.formats.report_names import CONTEXT, name_of
from csfinterp.formats.report_words import QUESTIONS, words
from csfinterp.model.context import (
    CODED_CONTEXT,
    NUMBER_CONTEXT,
    STATED_WORDS,
    TEXT_CONTEXT,
    TUMOR_CLASSES,
    YES_NO_CONTEXT,
)

Context = Mapping[str, Any]
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
TUMOR = ("class", "primary", "diagnosis")
_STATED = "stated"
# What belongs together. A word that stands in no group comes under the last one, so none is ever missing.
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "The question": ("question", "lm_suspected", "episode"),
    "The tumor": (
        "tumor_class", "tumor_primary", "tumor_diagnosis", "her2_status", "driver_alteration", "blood_blasts_present",
        "cns_leukemia_signs", "biopsy",
    ),
    "Signs and imaging": (
        "clinical_signs", "mri", "mri_extent", "csf_flow_study", "symptom_duration_days", "days_since_onset",
    ),
    "Before the puncture": (
        "antibiotics_before_lp", "steroid_before_lp", "recent_ivig_or_plasmapheresis", "recent_neurosurgery_or_shunt",
        "intrathecal_therapy_recent", "checkpoint_inhibitor",
    ),
    "The patient": ("immunosuppressed", "preterm", "intensive_care"),
    "Facts that rules read only when somebody states them": (_STATED,),
    "The sample and its methods": (
        "csf_samples_examined", "csf_cytology_volume_ml", "collection_to_processing_min", "csf_flow_panel",
        "csf_ctc_platform", "csf_ctc_volume_ml", "bilirubin_serum_corrected", "oxyhemoglobin_present",
    ),
}  # fmt: skip
LAST = "Inputs of single scores"
_LABELS = {
    "question": "Question of this puncture", "lm_suspected": "Leptomeningeal metastasis suspected",
    "episode": "Episode (limits what earlier punctures count)", "tumor_class": "Tumor",
    "tumor_primary": "Primary site", "tumor_diagnosis": "Diagnosis", "mri": "MRI of the meninges",
    "mri_extent": "What the MRI covered", "biopsy": "Meningeal biopsy", "stated": "Stated",
    "symptom_duration_days": "Duration of symptoms (days)", "days_since_onset": "Days since onset (0.5 is 12 hours)",
    "csf_samples_examined": "CSF samples examined so far", "blood_blasts_present": "Blasts in blood",
    "collection_to_processing_min": "Collection to processing (minutes)", "cns_leukemia_signs": "Signs of CNS leukemia",
    "intrathecal_therapy_recent": "Recent intrathecal therapy", "csf_ctc_platform": "Platform of tumor cell capture",
    "antibiotics_before_lp": "Antibiotics before the puncture", "steroid_before_lp": "Steroid before the puncture",
}  # fmt: skip
_HINTS = {
    "tumor_primary": "for example breast, lung",
    "tumor_diagnosis": "for example lymphoma, acute_lymphoblastic_leukemia",
}


@dataclass(frozen=True)
class Field:
    """One field. `kind`: choice, yes_no, number, text, words. `options`: (value, label); the first means not known.

    `value`: the text that stands in it, of `words` the tuple of those that are set.
    """

    name: str
    kind: str
    label: str
    value: str | tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""


def groups(context: Context) -> list[tuple[str, list[Field]]]:
    """All fields with the values of a context, by heading."""
    placed = {name for names in _GROUPS.values() for name in names}
    rest = tuple(name for name in _names() if name not in placed)
    return [(title, [_field(name, context) for name in names]) for title, names in {**_GROUPS, LAST: rest}.items()]


def filled(context: Context, form: Mapping[str, Any], stated: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The context with what a form says put in, and what cannot be read: field -> what to write instead.

    A field that still says what the context says leaves it as it is, so that saving an unchanged form changes nothing.
    """
    found, problems = dict(context), {}
    for name in _names():
        if name == _STATED:
            after: Any = [word for word in STATED_WORDS if word in stated]
            _put(found, _STATED, after or None, unchanged=tuple(after) == _value(_STATED, context))
            continue
        text = str(form.get(name, "")).strip()
        if text == _value(name, context):
            continue
        if name in NUMBER_CONTEXT and text and not _NUMBER.fullmatch(text):
            problems[name] = (
                "Write a number with a point, such as 0.5." if "," in text else "Write a number such as 12 or 0.5."
            )
            continue
        if name.startswith("tumor_"):
            found["tumor"] = {**_tumor(found), name.removeprefix("tumor_"): text or None}
        else:
            _put(found, name, _stored(name, text))
    if isinstance(found.get("tumor"), Mapping):
        kept = {key: value for key, value in found["tumor"].items() if value not in (None, "")}
        _put(found, "tumor", kept or None)
    return found, problems


def _put(context: dict[str, Any], name: str, value: Any, *, unchanged: bool = False) -> None:
    if unchanged:
        return
    if value is None:
        context.pop(name, None)
    else:
        context[name] = value


def _names() -> Iterator[str]:
    yield from (f"tumor_{part}" for part in TUMOR)
    yield from (name for name in CODED_CONTEXT if name != "tumor")
    yield from (*YES_NO_CONTEXT, *NUMBER_CONTEXT, *TEXT_CONTEXT, _STATED)


def _stored(name: str, text: str) -> Any:
    """What the document says for a field's text; None: nothing."""
    if name in YES_NO_CONTEXT:
        return {"yes": True, "no": False}.get(text)
    if name in NUMBER_CONTEXT:
        return None if not text else int(text) if text.isdecimal() else float(text)
    return text or None


def _value(name: str, context: Context) -> str | tuple[str, ...]:
    """The text that a field shows for a context."""
    if name == _STATED:
        said = context.get(_STATED) or ()
        return tuple(word for word in STATED_WORDS if word in said)
    if name.startswith("tumor_"):
        said = _tumor(context).get(name.removeprefix("tumor_")) or ""
        return str(said or (TUMOR_CLASSES[-1] if name == "tumor_class" else ""))
    said = context.get(name)
    if name in YES_NO_CONTEXT:
        return "" if said is None else "yes" if said is True else "no"
    if said is None:
        return CODED_CONTEXT[name][0] if name in CODED_CONTEXT else ""
    return str(said)


def _tumor(context: Context) -> Mapping[str, Any]:
    said = context.get("tumor")
    return said if isinstance(said, Mapping) else {"class": said} if said else {}


def _field(name: str, context: Context) -> Field:
    value, label = _value(name, context), _LABELS.get(name) or name_of(name, CONTEXT)
    label = label[0].upper() + label[1:]
    hint = _HINTS.get(name, "")
    if name == _STATED:
        return Field(name, "words", label, value, tuple((word, name_of(word, CONTEXT)) for word in STATED_WORDS))
    if name == "tumor_class":
        return Field(name, "choice", label, value, _options(CODED_CONTEXT["tumor"]))
    if name in CODED_CONTEXT:
        return Field(
            name, "choice", label, value, _options(CODED_CONTEXT[name], QUESTIONS if name == "question" else {})
        )
    if name in YES_NO_CONTEXT:
        return Field(name, "yes_no", label, value, (("", "not known"), ("yes", "yes"), ("no", "no")))
    return Field(name, "number" if name in NUMBER_CONTEXT else "text", label, value, hint=hint)


def _options(accepted: tuple[str, ...], spelled: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    return tuple((word, (spelled or {}).get(word, words(word))) for word in accepted)

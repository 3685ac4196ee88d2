"""The wire formats: one file each, and the registry that doors look up by media type or file extension."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from csfinterp.errors import DocumentError
from csfinterp.formats import cohort_csv, fhir_r4
from csfinterp.formats import hl7_v2 as hl7_format
from csfinterp.formats import panel_json as json_format
from csfinterp.formats import report_text as text_format
from csfinterp.formats.panel_json import Envelope
from csfinterp.formats.strict_json import ReadLimits
from csfinterp.model.panel import Panel

__all__ = ["FORMATS", "Envelope", "Format", "ReadLimits"]


@dataclass(frozen=True)
class Format:
    """`read`: the panels in bytes of this format (raises DocumentError). `write`: an interpretation document as text.

    None: the format goes only the other way. The first media type is the one that answers carry. `read_many`: for
    files that may hold many panels, of which some may be bad: each as a Panel or its own DocumentError.
    """

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    read: Callable[[bytes, ReadLimits], list[Panel]] | None
    write: Callable[[Mapping[str, object]], str | bytes] | None
    read_many: Callable[[bytes, ReadLimits], Iterator[Panel | DocumentError]] | None = None


_JSON = Format(
    name="json",
    media_types=("application/json",),
    extensions=(".json", ".jsonl", ".ndjson"),
    read=lambda data, limits: [json_format.read(data, limits)],
    write=json_format.printed,
    read_many=json_format.read_many,
)
_HL7 = Format(
    name="hl7",
    media_types=("application/hl7-v2", "x-application/hl7-v2+er7"),
    extensions=(".hl7", ".er7"),
    read=hl7_format.read,
    write=hl7_format.write,
    read_many=hl7_format.read_many,
)
_TEXT = Format(name="text", media_types=("text/plain",), extensions=(".txt",), read=None, write=text_format.write)
_FHIR = Format(
    name="fhir",
    media_types=(fhir_r4.MEDIA_TYPE,),
    extensions=(".fhir",),
    read=fhir_r4.read,
    write=fhir_r4.write,
)

# A file of many panels: read from files only, so that HTTP does not take it for a panel.
_CSV = Format(
    name="csv",
    media_types=("text/csv",),
    extensions=(".csv",),
    read=None,
    write=None,
    read_many=cohort_csv.read_many,
)

FORMATS: dict[str, Format] = {form.name: form for form in (_JSON, _HL7, _FHIR, _TEXT, _CSV)}

"""The text narrative of a DiagnosticReport: XHTML as FHIR allows it, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_words import NOT_JUDGED, part, parts, text, texts, unit_text, value_text, words

Part = Mapping[str, object]


def narrative(document: Part) -> str:
    """One <div>: what a reader needs who sees nothing but this."""
    report = Report(document)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(_parts(document, report))}</div>'


def _parts(document: Part, report: Report) -> Iterator[str]:
    summary, specimen, edition = (part(document, name) for name in ("summary", "specimen", "edition"))
    yield _tag("p", f"CSF specimen {text(specimen, 'id')}, status {text(document, 'status')}")
    yield f"<p><b>{_safe(text(summary, 'headline'))}</b></p>"
    yield _list("Critical", [_call(one) for one in parts(document, "critical")])
    yield _list("Summary", [text(one, "text") + report.cited(one) for one in parts(summary, "sentences")])
    yield _table(parts(document, "results"))
    yield _list("Issues of what was sent", [text(one, "message") for one in parts(document, "issues")])
    advice = [one for one in parts(document, "recommendations") if not one.get("folded")]
    yield _list("Recommendations", dict.fromkeys(text(one, "text") + report.cited(one) for one in advice))
    used = {source for one in (*parts(summary, "sentences"), *advice) for source in texts(one, "citations")}
    yield _list("Sources", [_source(one, report) for one in parts(document, "citations") if text(one, "id") in used])
    yield _tag("p", f"Edition {text(edition, 'id')} ({text(edition, 'status')}), {text(edition, 'digest')}")
    yield _tag("p", text(document, "disclaimer"))


def _call(call: Part) -> str:
    return f"{text(call, 'level')}: {text(call, 'reason')}"


def _source(citation: Part, report: Report) -> str:
    number = report.sources.get(text(citation, "id"), "")
    weak = f" ({text(citation, 'status')})" if text(citation, "status") not in ("", "primary") else ""
    return f"[{number}] {text(citation, 'text')}{weak}"


def _table(results: Iterable[Part]) -> str:
    rows = [_row(result) for result in results]
    head = "<tr>" + "".join(_tag("th", name) for name in ("Test", "Result", "Unit", "Flag", "Reference")) + "</tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""


def _row(result: Part) -> str:
    reference = part(result, "reference")
    weak = f" ({text(reference, 'status')})" if text(reference, "status") not in ("", "primary") else ""
    why = NOT_JUDGED.get(text(result, "not_judged"), words(text(result, "not_judged")))
    cells = (
        text(result, "name"),
        value_text(result) + (f", {text(result, 'organism')}" if text(result, "organism") else ""),
        unit_text(result),
        text(result, "flag") or (f"not judged: {why}" if why else ""),
        text(reference, "text") + weak,
    )
    return "<tr>" + "".join(_tag("td", cell) for cell in cells) + "</tr>"


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(_tag("li", line) for line in lines if line)
    return f"<p><b>{_safe(title)}</b></p><ul>{items}</ul>" if items else ""


def _tag(name: str, content: str) -> str:
    return f"<{name}>{_safe(content)}</{name}>"


def _safe(content: str) -> str:
    return escape(clean(content))

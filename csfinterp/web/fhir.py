"""The FHIR R4 door: /fhir/r4. Bundles in, DiagnosticReport and Observation out; no medicine."""

from __future__ import annotations

from flask import Blueprint, Response, request

from csfinterp.errors import ConflictError, DocumentError, Fault, NotFoundError
from csfinterp.formats import fhir_r4, panel_json
from csfinterp.formats.fhir_r4 import Found, Reading
from csfinterp.service import StoredPanel, Submission
from csfinterp.web import fhir_capability, fhir_search
from csfinterp.web.bodies import limits, read_bytes
from csfinterp.web.fhir_answers import READ, Resource, answer, information, outcome, versioned
from csfinterp.web.hall import hall
from csfinterp.web.problems import KINDS, Problem, kind_of

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir/r4")
_ATOMIC = "transaction"
_SENDING = ("POST", "PUT")


@blueprint.before_request
def _acceptable() -> None:
    """JSON is the only form: `_format` wins over Accept."""
    asked = request.args.get("_format")
    known = {"json": True, **dict.fromkeys(READ, True)}
    accepted = request.accept_mimetypes
    if not (known.get(asked, False) if asked else not accepted or accepted.best_match(READ)):
        raise Problem("not-acceptable", "Only JSON can be produced. Send Accept: application/fhir+json.")


@blueprint.get("/metadata")
def metadata() -> Response:
    """What this server does."""
    return answer(fhir_capability.statement(request.url_root.rstrip("/") + str(blueprint.url_prefix)))


@blueprint.get("/OperationDefinition/interpret")
def operation() -> Response:
    """What $interpret does."""
    return answer(fhir_capability.operation())


@blueprint.post("")
@blueprint.post("/", endpoint="receive_with_slash")
def receive() -> Response:
    """Store and interpret the panels of a Bundle or of one DiagnosticReport with what it contains."""
    document = panel_json.parse(read_bytes(READ), limits())
    reading = fhir_r4.read_body(document, limits())
    _sent_to_be_stored(document)
    if reading.type in (_ATOMIC, None):
        return answer(_response(document, reading, _all_or_nothing(reading)))
    return answer(_response(document, reading, [_one(found) for found in reading.found]))


@blueprint.post("/$interpret")
def interpret() -> Response:
    """Interpret and store nothing: one Bundle with the answers of all panels."""
    document = panel_json.parse(read_bytes(READ), limits())
    panels = [_panel(found) for found in fhir_r4.read_body(_argument(document), limits()).found]
    return answer(fhir_r4.bundle(*hall().interpret_many(panels)))


@blueprint.get("/DiagnosticReport/<report_id>")
@blueprint.get("/DiagnosticReport/<report_id>/_history/<version>")
def report(report_id: str, version: str | None = None) -> Response:
    """The report of a panel, or one version of it."""
    stored = _stored(report_id, version)
    return versioned(fhir_r4.served_report(stored.document), stored.version)


@blueprint.get("/DiagnosticReport/<report_id>/_history")
def history(report_id: str) -> Response:
    """Every version of a report, the newest first."""
    base = request.base_url.removesuffix("/_history")
    entries = [
        {
            "fullUrl": base,
            "resource": fhir_r4.served_report(hall().panel(report_id, info.version).document),
            "request": {"method": "POST" if info.version == 1 else "PUT", "url": f"DiagnosticReport/{report_id}"},
            "response": {"status": "201" if info.version == 1 else "200", "etag": f'W/"{info.version}"'},
        }
        for info in reversed(hall().versions(report_id))
    ]
    return answer({"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries})


@blueprint.get("/Observation/<observation_id>")
@blueprint.get("/Observation/<observation_id>/_history/<version>")
def observation(observation_id: str, version: str | None = None) -> Response:
    """One result of a panel."""
    stored = _stored(observation_id.partition("-")[0], version)
    for found in fhir_r4.served_observations(stored.document):
        if found["id"] == observation_id:
            return versioned(found, stored.version)
    raise NotFoundError("This version of the panel has no such Observation.")


@blueprint.get("/<any(DiagnosticReport, Observation):kind>")
@blueprint.post("/<any(DiagnosticReport, Observation):kind>/_search", endpoint="search_by_post")
def search(kind: str) -> Response:
    """Search; parameters may also be posted as a form, so that no patient stands in an address."""
    return answer(fhir_search.searchset(kind, [*request.args.items(multi=True), *request.form.items(multi=True)]))


def _stored(panel_id: str, version: str | None) -> StoredPanel:
    if version is not None and not (version.isascii() and version.isdecimal() and 0 < len(version) < 7):
        raise NotFoundError("A version is a whole number from 1.")
    return hall().panel(panel_id, int(version) if version else None)


def _argument(document: object) -> object:
    """The resource itself, or the one that a Parameters resource carries."""
    if not isinstance(document, dict) or document.get("resourceType") != "Parameters":
        return document
    sent = document.get("parameter")
    listed = sent if isinstance(sent, list) else []
    found = [one["resource"] for one in listed if isinstance(one, dict) and "resource" in one]
    if len(found) != 1:
        text = "Send Parameters with one parameter that has a resource, or the Bundle itself."
        raise DocumentError(text, (Fault("/parameter", text),))
    return found[0]


def _sent_to_be_stored(document: object) -> None:
    """In a transaction or batch every entry says what to do with it; here everything is sent to be stored."""
    if not isinstance(document, dict) or document.get("type") not in (_ATOMIC, "batch"):
        return
    faults = []
    for number, entry in enumerate(document["entry"]):
        asked = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(asked, dict) or asked.get("method") not in _SENDING:
            faults.append(Fault(f"/entry/{number}/request", "Send request.method POST or PUT: results come in here."))
    if faults:
        raise DocumentError("Only POST and PUT entries are taken in a Bundle.", tuple(faults))


def _panel(found: Found) -> panel_json.Panel:
    if isinstance(found.panel, DocumentError):
        raise found.panel
    return found.panel


def _all_or_nothing(reading: Reading) -> list[Submission | Problem]:
    panels = [_panel(found) for found in reading.found]
    if len(panels) > 1:
        text = "A transaction is stored whole or not at all, and panels are stored one by one. Send type batch."
        raise DocumentError(text, (Fault("/type", text),))
    return [hall().submit(panels[0])]


def _one(found: Found) -> Submission | Problem:
    try:
        return hall().submit(_panel(found))
    except DocumentError as refused:
        return Problem("too-large" if refused.too_large else "document-refused", refused.message, refused.faults)
    except ConflictError as conflict:
        return Problem(kind_of(conflict).name, conflict.message)


def _response(document: object, reading: Reading, done: list[Submission | Problem]) -> Resource:
    """One entry per entry sent; a single DiagnosticReport counts as one entry."""
    entries = document.get("entry") if isinstance(document, dict) and reading.type else [{"resource": document}]
    results = zip(reading.found, done, strict=True)
    by_entry = {place: result for found, result in results for place in found.entries or (0,)}
    told: list[Resource] = []
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        kind = entry["resource"]["resourceType"]
        told.append(_told(by_entry.get(number), kind, reading.left.get(number)))
    kind = "transaction-response" if reading.type == _ATOMIC else "batch-response"
    return {"resourceType": "Bundle", "type": kind, "entry": told}


def _told(result: Submission | Problem | None, kind: str, left: str | None) -> Resource:
    if isinstance(result, Problem):
        status = KINDS[result.kind.name].status
        return {"response": {"status": str(status), "outcome": outcome(status, result.detail, result.faults)}}
    if result is None:
        why = left or "no panel refers to it"
        return {"response": {"status": "200", "outcome": information(f"Not stored: {why}.")}}
    address = f"DiagnosticReport/{result.panel_id}/_history/{result.version}"
    at, code = result.document["generated_at"], "201" if result.created else "200"
    about: Resource = {"status": code, "etag": f'W/"{result.version}"', "lastModified": at}
    if kind != "DiagnosticReport":
        return {"response": {**about, "outcome": information(f"Read into {address}.")}}
    shown = _shown(result) if "return=representation" in request.headers.get("Prefer", "") else {}
    return {**shown, "response": {**about, "location": address}}


def _shown(result: Submission) -> Resource:
    return {"resource": fhir_r4.served_report(result.document)}

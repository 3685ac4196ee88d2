"""POST /api/v1/panels/batch: many panels in one request, one answer each, in order; a bad one stops no other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from flask import Response, request, stream_with_context
from flask_smorest import Blueprint

from csfinterp.batch import Answer
from csfinterp.errors import DocumentError, Fault
from csfinterp.model.panel import Panel
from csfinterp.web import describe
from csfinterp.web.answers import JSON, json_text
from csfinterp.web.bodies import JSON_LINES, read_batch
from csfinterp.web.hall import hall, settings
from csfinterp.web.problems import document_of

blueprint = Blueprint("batch", __name__, url_prefix="/api/v1", description="Send many panels at once.")
# So many go through the core together; the answers to them go out together, too.
CHUNK = 64


@blueprint.route("/panels/batch", methods=["POST"])
@blueprint.doc(requestBody=describe.BATCH_BODY, operationId="submitBatch")
@describe.errors(blueprint, 413, 415)
@blueprint.alt_response(207, schema="BatchAnswers", description="One answer for each panel, in order")
def submit() -> Response:
    """Store and interpret many panels: a JSON array, or one panel a line

    Each panel is answered as POST /api/v1/panels would: 201 stored, 200 came before, or a problem with its own status.
    JSON lines are answered line by line while the batch is worked on; the interpretation is read at `location`.
    """
    items = read_batch()
    if request.mimetype == JSON_LINES:
        lines = (json_text(answer) + "\n" for answer in _answers(items))
        return Response(stream_with_context(lines), 207, content_type=JSON_LINES)
    return Response(json_text(list(_answers(items))), 207, content_type=JSON)


def _answers(items: Iterator[Panel | DocumentError]) -> Iterator[dict[str, object]]:
    most = settings().batch_panels
    numbered = enumerate(items)
    for number, answer in _stored(itertools.islice(numbered, most)):
        yield _told(number, answer)
    for number, _ in numbered:
        message = f"A batch holds at most {most} panels; this one was not stored. Send it in another batch."
        yield _told(number, DocumentError(message, (Fault("", message),), too_large=True))


def _stored(items: Iterator[tuple[int, Panel | DocumentError]]) -> Iterator[tuple[int, Answer | Exception]]:
    while chunk := list(itertools.islice(items, CHUNK)):
        panels = [item for _, item in chunk if isinstance(item, Panel)]
        answers = iter(_submitted(panels))
        yield from ((number, next(answers) if isinstance(item, Panel) else item) for number, item in chunk)


def _submitted(panels: Sequence[Panel]) -> Sequence[Answer | Exception]:
    """A fault of ours in one chunk is told for its panels; the batch goes on."""
    try:
        return hall().submit_many(panels) if panels else ()
    except Exception as error:
        return [error] * len(panels)


def _told(number: int, answer: Answer | Exception) -> dict[str, object]:
    if isinstance(answer, Exception):
        problem = document_of(answer)
        return {"index": number, "status": problem["status"], "problem": problem}
    return {
        "index": number,
        "status": 201 if answer.created else 200,
        "panel_id": answer.panel_id,
        "version": answer.version,
        "location": f"{blueprint.url_prefix}/panels/{answer.panel_id}",
        "panel_status": answer.status,
        "critical_open": answer.critical_open,
    }

"""/api/v1/held: what could not be joined to a case, for the administrator. Nothing is ever removed."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields, validate

from csfinterp.acting import current
from csfinterp.errors import DocumentError, Fault
from csfinterp.held import STATES, Ruling
from csfinterp.web import describe
from csfinterp.web.answers import json_answer, json_text
from csfinterp.web.api import Whole
from csfinterp.web.bodies import pointer, read_object
from csfinterp.web.hall import hall

blueprint = Blueprint("held", __name__, url_prefix="/api/v1", description="Messages that were joined to no case.")
MOST = 500


class HeldQuery(ma.Schema):
    state = fields.String(validate=validate.OneOf(STATES), metadata={"description": "Default: all."})
    limit = Whole(validate=validate.Range(1, MOST), load_default=50)
    after = Whole(metadata={"description": "Begin behind the message of this number (`id`)."})


@blueprint.route("/held", methods=["GET"])
@blueprint.doc(operationId="listHeld")
@blueprint.arguments(HeldQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 422)
@blueprint.alt_response(200, schema="HeldList")
def listed(query: dict[str, Any]) -> Response:
    """Messages that were joined to no case, the oldest first, without patient and values

    Same specimen with another patient id, same message id with other content, a preliminary result after the final one.
    """
    found = hall().held.listed(query.get("state"), query["limit"], query.get("after"))
    following = found[-1]["id"] if len(found) == query["limit"] else None
    return json_answer(json_text({"items": found, "after": following}))


@blueprint.route("/held/<int(min=1, max=2147483647):number>", methods=["GET"])
@blueprint.doc(operationId="readHeld")
@describe.errors(blueprint, 404)
@blueprint.alt_response(200, schema="Held")
def show(number: int) -> Response:
    """One held message as received, and the panel that it met"""
    return json_answer(json_text(hall().held.show(number)))


@blueprint.route("/held/<int(min=1, max=2147483647):number>/release", methods=["POST"])
@blueprint.doc(operationId="releaseHeld", requestBody=describe.RELEASE_BODY)
@describe.errors(blueprint, 404, 409, 413, 415, 422)
@blueprint.alt_response(200, schema="Released")
def release(number: int) -> Response:
    """Store and interpret a held message after all

    `join`: it is the patient of the stored specimen, whose patient id it takes. `specimen_id`: it is stored as a
    specimen of its own. The sender that tries again is then answered as for a message that came before.
    """
    done = hall().held.release(number, _ruling(("by", "note", "join", "specimen_id")))
    return json_answer(json_text({"panel_id": done.panel_id, "version": done.version}))


@blueprint.route("/held/<int(min=1, max=2147483647):number>/discard", methods=["POST"])
@blueprint.doc(operationId="discardHeld", requestBody=describe.DISCARD_BODY)
@describe.errors(blueprint, 404, 409, 413, 415, 422)
@blueprint.alt_response(200, schema="Held")
def discard(number: int) -> Response:
    """Decide that a held message is not to be stored as a panel; the message and the reason stay"""
    hall().held.discard(number, _ruling(("by", "note")))
    return json_answer(json_text(hall().held.show(number)))


def _ruling(known: tuple[str, ...]) -> Ruling:
    """Who decides is the account that asks; `by` adds the name of the person behind it."""
    body = read_object(known)
    faults = [
        Fault(pointer(name), "Send a text of 1 to 200 characters.")
        for name in ("by", "note", "specimen_id")
        if (name in body or name == "note") and not _is_text(body.get(name))
    ]
    if not isinstance(body.get("join", False), bool):
        faults.append(Fault("/join", "Send true or false."))
    if faults:
        raise DocumentError("The decision cannot be read.", tuple(faults))
    specimen, account = body.get("specimen_id"), current().who
    by = f"{body['by']} ({account})" if "by" in body else account
    return Ruling(by, str(body["note"]), bool(body.get("join")), None if specimen is None else str(specimen))


def _is_text(value: object) -> bool:
    return type(value) is str and 0 < len(value.strip()) <= 200 and "\x00" not in value

"""HL7 v2 over HTTP: POST /hl7/v2, an ORU^R01 in the body, its acknowledgment in the answer."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from csfinterp.web import describe
from csfinterp.web.bodies import read_bytes
from csfinterp.web.hall import receiver

blueprint = Blueprint("hl7", __name__, url_prefix="/hl7", description="HL7 v2 over HTTP.")


@blueprint.route("/v2", methods=["POST"])
@blueprint.doc(requestBody=describe.HL7_BODY, operationId="sendHl7")
@describe.errors(blueprint, 413, 415)
@describe.hl7_answers(blueprint)
def send() -> Response:
    """Store and interpret an HL7 v2 message (ORU^R01)

    The answer is 200 with the acknowledgment in the body, whatever it says: AA stored, AE mend or send again (ERR says
    which), AR not a message for this service. The same message again gets the same answer.
    """
    answers = receiver().receive(read_bytes(describe.HL7_TYPES))
    return Response(b"".join(answers), content_type=request.mimetype)

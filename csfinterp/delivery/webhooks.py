"""Webhooks by the Standard Webhooks convention: what is sent, how it is signed. https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping

from csfinterp.store import EventRecord


def body_of(event: EventRecord, base_url: str, document: Mapping[str, object] | None = None) -> bytes:
    """The JSON of an event: type, timestamp, data. `document`: the interpretation, where the site wants it sent."""
    data = json.loads(event.data)
    data["url"] = f"{base_url}/api/v1/panels/{event.panel_id}/interpretation?version={event.version}"
    if document is not None:
        data["interpretation"] = document
    told = {"type": event.type, "timestamp": event.created_at, "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(event_id: str, now: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """webhook-id, webhook-timestamp and webhook-signature. `now`: seconds since 1970.

    One `v1` signature for each key, so that a secret can be changed while both are known.
    """
    signed = f"{event_id}.{now}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }

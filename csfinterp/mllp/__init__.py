"""The MLLP door: a listener for HL7 v2 over TCP. Bytes in, bytes out; no medicine."""

from __future__ import annotations

from collections.abc import Callable

import csfinterp
from csfinterp import acting, logs
from csfinterp.mllp.listener import SERVICE, WHAT, Limits, ListenError, serve, tls_context
from csfinterp.operations import open_service
from csfinterp.receiving import Receiver
from csfinterp.settings import Settings

# As gunicorn's: what was read is answered in this time when the listener stops.
GRACE_SECONDS = 10.0

__all__ = ["ListenError", "listen"]


def listen(settings: Settings, port: int | None, say: Callable[[str], None]) -> None:
    """Opens the service and listens until SIGTERM or SIGINT. `port` None: that of the settings; 0: a free one.

    `say` is told in one line when senders may connect. Raises ListenError, and what `open_service` raises.
    """
    logs.configure(settings)
    acting.become(SERVICE, WHAT)
    host, _, text = settings.mllp_bind.rpartition(":")
    tls = None
    if settings.mllp_certificate is not None:
        tls = tls_context(settings.mllp_certificate, settings.mllp_key, settings.mllp_client_ca)
    elif settings.mllp_key or settings.mllp_client_ca:
        raise ListenError("CSFINTERP_MLLP_KEY and CSFINTERP_MLLP_CLIENT_CA need CSFINTERP_MLLP_CERTIFICATE.")
    limits = Limits(
        settings.max_body_bytes, settings.mllp_connections, settings.threads, settings.mllp_idle,
        settings.mllp_timeout, GRACE_SECONDS,
    )  # fmt: skip
    kind = "MLLP with TLS" if tls else "MLLP"
    serve(
        Receiver(open_service(settings), settings), limits, host.strip("[]"), int(text) if port is None else port, tls,
        lambda chosen: say(f"csfinterp {csfinterp.__version__} listens for HL7 v2 ({kind}) on {host}:{chosen}"),
    )  # fmt: skip

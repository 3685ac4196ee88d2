"""How gunicorn is started: the same arguments for `serve` and `demo`."""

from __future__ import annotations

import sys

from csfinterp.settings import Settings


def gunicorn_command(settings: Settings, bind: str, workers: int) -> list[str]:
    """The command line of the server. `bind`: HOST:PORT, or fd://N for a socket that is already open.

    No access log: it would write whole addresses, and searches carry patient ids. What gunicorn itself says of a
    request is cut by logs.py. No control socket: not needed.
    """
    return [
        sys.executable, "-m", "gunicorn", "csfinterp.web:create_app()",
        "--bind", bind, "--workers", str(workers), "--worker-class", "gthread", "--threads", str(settings.threads),
        "--timeout", str(settings.timeout), "--graceful-timeout", "10", "--no-control-socket", "--log-level", "warning",
    ]  # fmt: skip

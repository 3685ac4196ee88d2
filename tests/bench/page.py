"""`python -m tests.bench page`: the page of a panel with 40 results against its JSON, over the real server."""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench.core import document
from tests.bench.measure import Line, side_by_side
from tests.serving import Server, serving

RESULTS, PANELS, LARGEST = 40, 60, 250_000
MORE = (
    ("csf_eosinophils_pct", 0, "%"), ("csf_plasma_cells_pct", 0, "%"), ("csf_ldh", 30, "U/L"),
    ("csf_chloride", 121, "mmol/L"),
    ("csf_ferritin", 9, "ug/L"), ("csf_cea", 0.6, "ug/L"), ("serum_cea", 2, "ug/L"), ("csf_il6", 9, "ng/L"),
    ("csf_opening_pressure", 16, "cm[H2O]"),
)  # fmt: skip


def lines() -> Iterator[Line]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="csfinterp-bench-"))
        server = stack.enter_context(serving(Path(folder), 1, ACCESS="open", LOG_LEVEL="ERROR"))
        posted = [_post(server, number) for number in range(PANELS)]
        results = len(posted[0]["results"])
        assert results >= RESULTS, f"only {results} results"
        ids = [str(one["panel_id"]) for one in posted]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        size = _get(connection, _page(ids[0]))
        yield Line(f"page of a panel with {results} results in bytes / {LARGEST}", size / LARGEST, 1.0, False)
        page, answer = side_by_side(_asking(connection, _page(ids[0])), _asking(connection, _json(ids[0])), (5, 5))
        yield Line("page opened again / its JSON, the same panel", page / answer, 3.0, False)
        rest = iter(ids[1:])
        fresh = [(next(rest), next(rest)) for _ in range((PANELS - 1) // 2)]
        pairs = [(_seconds(connection, _page(one)), _seconds(connection, _json(other))) for one, other in fresh]
        first, plain = min(page for page, _ in pairs), min(answer for _, answer in pairs)
        yield Line("page opened for the first time / its JSON, a new panel each", first / plain, 3.0, False)
        connection.close()


def _post(server: Server, number: int) -> dict[str, Any]:
    panel: dict[str, Any] = dict(document(number))
    panel["patient"] = {**panel["patient"], "id": f"MRN-{number}", "birth_date": "1961-04-02"}
    panel["observations"] += [{"code": code, "value": value, "unit": unit} for code, value, unit in MORE]
    status, _, answer = server.post(panel)
    assert status == 201, json.dumps(answer)[:500]
    return dict(answer)


def _get(connection: http.client.HTTPConnection, address: str) -> int:
    connection.request("GET", address)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body[:300]
    return len(body)


def _seconds(connection: http.client.HTTPConnection, address: str) -> float:
    start = perf_counter()
    _get(connection, address)
    return perf_counter() - start


def _asking(connection: http.client.HTTPConnection, address: str) -> Callable[[], object]:
    return lambda: _get(connection, address)


def _page(panel_id: str) -> str:
    return f"/panels/{panel_id}"


def _json(panel_id: str) -> str:
    return f"/api/v1/panels/{panel_id}/interpretation"

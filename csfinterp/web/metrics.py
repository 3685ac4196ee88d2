"""/metrics for Prometheus: requests and their time by route template, and what the database says when it is asked.

Counters of all workers are added up over files (PROMETHEUS_MULTIPROC_DIR, set by `csfinterp serve`). No label ever
holds an id, an address or a value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import prometheus_client as prometheus
from flask import Blueprint, Flask, Response, g, request
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from csfinterp.web.hall import hall
from csfinterp.web.logs import METHODS

blueprint = Blueprint("metrics", __name__)
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
NAMES = ("method", "route", "status")
REQUESTS = prometheus.Counter("csfinterp_requests", "Requests answered.", NAMES)
SECONDS = prometheus.Histogram("csfinterp_request_seconds", "Time to the answer, in seconds.", ("method", "route"))


class State:
    """What the store holds now: open critical calls, the outbox, the audit, the edition in force."""

    def collect(self) -> Iterable[Metric]:
        state = hall().operating_state()
        age = 0.0
        if state.oldest_waiting is not None:
            age = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(state.oldest_waiting)).total_seconds())
        yield GaugeMetricFamily("csfinterp_critical_open_panels", "Panels with open critical calls.", state.panels_open)
        yield GaugeMetricFamily("csfinterp_critical_open_calls", "Critical calls nobody has noted.", state.calls_open)
        yield GaugeMetricFamily("csfinterp_audit_rows", "Rows of the audit.", state.audit_rows)
        yield GaugeMetricFamily("csfinterp_outbox_oldest_seconds", "Age of the oldest delivery that is due.", age)
        outbox = GaugeMetricFamily(
            "csfinterp_outbox_deliveries", "Deliveries by state.", labels=("destination", "state")
        )
        for (destination, name), count in sorted(state.deliveries.items()):
            outbox.add_metric((destination, name), count)
        yield outbox
        edition = GaugeMetricFamily("csfinterp_edition", "The edition in force.", labels=("id", "digest"))
        edition.add_metric((state.edition_id, state.edition_digest), 1)
        yield edition


@blueprint.get("/metrics")
def metrics() -> Response:
    """Everything, in the text format of Prometheus."""
    registry = prometheus.CollectorRegistry()
    registry.register(State())
    text = prometheus.generate_latest(registry)
    if os.environ.get(MULTIPROCESS):
        workers = prometheus.CollectorRegistry()
        MultiProcessCollector(workers)
        text += prometheus.generate_latest(workers)
    else:
        text += prometheus.generate_latest(prometheus.REGISTRY)
    return Response(text, content_type=prometheus.CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Count every request when it is answered."""

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - g.began)
        return response

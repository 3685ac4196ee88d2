"""The real server: gunicorn with two workers on one SQLite file, asked over real sockets."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from csfinterp.logs import NoRequest
from tests.serving import Server, serving
from tests.web.conftest import PanelMaker


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), workers=2) as running:
        yield running


def test_a_panel_travels_through_the_real_server(server: Server, panel: PanelMaker) -> None:
    status, headers, document = server.post(panel())
    assert (status, document["lm"]["certainty"]) == (201, "confirmed")
    status, _, again = server.ask("GET", headers["Location"] + "/interpretation")
    assert (status, again) == (200, document)


def test_parallel_posts_of_one_panel_store_it_once(server: Server, panel: PanelMaker) -> None:
    document = panel()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(server.post, [document] * 12))
    assert sorted(status for status, _, _ in answers) == [200] * 11 + [201]
    assert len({json.dumps(body) for _, _, body in answers}) == 1


def test_parallel_corrections_become_versions_without_gaps(server: Server, panel: PanelMaker) -> None:
    first = panel()
    _, headers, _ = server.post(first)
    documents = []
    for number in range(10):
        document = json.loads(json.dumps(first))
        document["source"]["message_id"] += f"-{number}"
        document["observations"][1]["value"] = 100 + number
        documents.append(document)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(server.post, documents))
    assert [status for status, _, _ in answers] == [201] * 10
    assert sorted(body["version"] for _, _, body in answers) == list(range(2, 12))
    _, _, versions = server.ask("GET", headers["Location"] + "/versions")
    assert [item["version"] for item in versions["items"]] == list(range(1, 12))


def test_parallel_changes_of_context_let_one_win(server: Server, panel: PanelMaker) -> None:
    _, headers, _ = server.post(panel())
    body = json.dumps({"tumor": "solid", "mri": "normal"}).encode()

    def change(_: int) -> int:
        address = headers["Location"] + "/context"
        return server.ask("PUT", address, body, Content_Type="application/json", If_Match=headers["ETag"])[0]

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(change, range(6))) == [200, 412, 412, 412, 412, 412]


def test_a_body_that_is_too_large_gets_its_answer(server: Server) -> None:
    body = b'{"observations": "' + b"x" * 12_000_000 + b'"}'
    status, headers, problem = server.ask("POST", "/api/v1/interpret", body, Content_Type="application/json")
    assert (status, problem["type"]) == (413, "/problems/too-large")
    assert headers["Content-Type"] == "application/problem+json"


def test_a_body_without_length_is_measured_while_it_is_read(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    chunks = (b"x" * 100_000 for _ in range(120))
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    try:
        connection.request("POST", "/api/v1/interpret", chunks, headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["type"]) == (413, "/problems/too-large")
    finally:
        connection.close()


def test_the_log_of_the_server_holds_no_patient(server: Server, panel: PanelMaker) -> None:
    document = panel()
    server.post(document)
    server.ask("GET", f"/api/v1/panels?patient={document['patient']['id']}")
    lines = server.log.read_text().splitlines()
    assert [line for line in lines if "/api/v1/panels" in line]
    for word in ("MRN-TEST", "ACC-TEST", "MSG-"):
        assert not [line for line in lines if word in line]


def test_a_request_that_is_not_http_is_not_quoted_in_the_log(server: Server) -> None:
    secret = b"MRN-RAW-4711"
    requests = (
        b"GET /panels?patient=" + secret + b" nonsense HTTP/9.9\r\n\r\n",
        secret + b"\r\n\r\n",
        b"GET / HTTP/7.4 " + secret + b"\r\n\r\n",
        b"g\xc3\xa9t" + secret + b" / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + secret + b" x: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + secret + b"\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + secret + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + secret + b"\r\n\r\n",
        b"GET /" + secret * 2_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/interpret HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + secret + b"\r\n\r\n",
    )
    for request in requests:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(request)
            status = connection.recv(4096).split(b"\r\n")[0].split(b" ")
            assert status[0] == b"HTTP/1.1" and status[1][:1] in b"45", request[:80]
    log = server.log.read_text()
    assert log.count("a request that is not valid HTTP was refused") >= 5
    assert "MRN-RAW" not in log and "Traceback" not in log


def test_an_error_of_the_server_is_logged_without_the_request() -> None:
    """What gunicorn logs when an answer fails: the address as an argument, and an exception that may quote values."""

    def record(level: int, text: str, *arguments: object) -> logging.LogRecord:
        try:
            raise ValueError("MRN-RAW-4711")
        except ValueError:
            return logging.LogRecord("gunicorn.error", level, "file", 1, text, arguments, sys.exc_info())

    failed = record(logging.ERROR, "Error handling request %s %s", "GET", "/panels?patient=MRN-RAW-4711")
    assert NoRequest().filter(failed)
    said = logging.Formatter("%(message)s").format(failed)
    assert "ValueError at test_server.py:" in said and "MRN-RAW" not in said
    assert not NoRequest().filter(record(logging.DEBUG, "%s %s", "GET", "/panels?patient=MRN-RAW-4711"))
    start = record(logging.ERROR, "Exception in worker process")
    assert NoRequest().filter(start) and start.exc_info is not None, "why the service did not start is told in full"

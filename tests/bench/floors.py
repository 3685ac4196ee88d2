"""Floors: doors that read, insert as many bytes durably and answer, and do nothing else.

`python -m tests.bench.floors FILE BYTES` is the MLLP floor: python-hl7's own server, parser and ACK. `create_app` is
the HTTP floor for gunicorn: the schema is loaded, then one insert; BENCH_FILE and BENCH_BYTES name its file and size.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading

import hl7
from flask import Flask, Response, request
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

from csfinterp.formats.panel_schema import PanelSchema
from csfinterp.formats.strict_json import DEFAULT_LIMITS, decode


class Table:
    """One row a message, committed as durably as the store does it."""

    def __init__(self, file: str, size: int) -> None:
        self._file, self._text = file, "x" * size
        self._own = threading.local()

    def insert(self) -> None:
        if not hasattr(self._own, "connection"):
            self._own.connection = sqlite3.connect(self._file, timeout=60, isolation_level=None)
            for line in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                         "CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, text TEXT)"):  # fmt: skip
                self._own.connection.execute(line)
        self._own.connection.execute("INSERT INTO message (text) VALUES (?)", (self._text,))


def create_app() -> Flask:
    app, schema = Flask(__name__), PanelSchema()
    table = Table(os.environ["BENCH_FILE"], int(os.environ["BENCH_BYTES"]))
    answer = "x" * int(os.environ["BENCH_BYTES"])

    @app.post("/api/v1/panels")
    def submit() -> Response:
        schema.load(decode(request.get_data(), DEFAULT_LIMITS))
        table.insert()
        return Response(answer, 201, content_type="application/json")

    return app


async def listen(table: Table) -> None:
    async def talk(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while True:
                message: hl7.Message = await reader.readmessage()
                table.insert()
                writer.writemessage(message.create_ack())
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    server = await start_hl7_server(talk, "127.0.0.1", 0, limit=8 * 1024 * 1024, encoding="utf-8")
    print(f"listens on :{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(listen(Table(sys.argv[1], int(sys.argv[2]))))

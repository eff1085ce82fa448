"""What really runs in the demo's production: a PostgreSQL server with 204,000 orders, and a partner's webhook registry."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fulldress.database.postgres import Clone, Server, resolve
from fulldress.findings import Outcome

HERE = Path(__file__).parent


@contextmanager
def database() -> Iterator[Clone]:
    """A server of its own, filled from the old release's SQL and ``fill.sql``; gone at the end of the block."""
    with Server(resolve()) as server:
        orders = server.create("dten")
        scripts = [*sorted((HERE / "vendor/4.0.1/sql").glob("*.up.sql")), HERE / "fill.sql"]
        for script in scripts:
            ended = orders.execute(script.read_text(), name=script.name, step="set-up")
            if ended.outcome is not Outcome.PASS:
                raise SystemExit(f"{script}: {ended.error}")
        for statement in (
            "CREATE ROLE dten LOGIN",
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO dten",
            "GRANT USAGE ON SCHEMA public TO dten",
        ):
            orders.query(statement)
        yield orders


class Registry(BaseHTTPRequestHandler):
    """``POST /webhooks`` registers, ``GET /webhooks`` lists, ``DELETE /webhooks/ID`` removes."""

    hooks: dict[str, dict[str, object]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if len(parts) == 1:
            self._answer(200, list(self.hooks.values()))
        elif parts[1] in self.hooks:
            self._answer(200, self.hooks[parts[1]])
        else:
            self._answer(404, {"error": "no such webhook"})

    def do_POST(self) -> None:
        hook = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        number = str(max((int(n) for n in self.hooks), default=6) + 1)
        self.hooks[number] = {"id": number, **hook}
        self._answer(201, self.hooks[number])

    def do_DELETE(self) -> None:
        gone = self.hooks.pop(self.path.rsplit("/", 1)[-1], None)
        self._answer(204 if gone else 404, None)

    def _answer(self, status: int, body: object) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *words: object) -> None:
        """Silent."""


@contextmanager
def registry() -> Iterator[str]:
    """The partner's registry on loopback, with one webhook that is not ours; its address."""
    Registry.hooks = {"6": {"id": "6", "target": "http://billing.dten.example/in", "events": ["order.paid"]}}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()

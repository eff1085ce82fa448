"""A real registry of webhooks on loopback, and a real PostgreSQL server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fulldress.database.postgres import Server, resolve
from fulldress.engine.venues.postgres import Postgres

_numbers = count()


class Registry(ThreadingHTTPServer):
    """Lists, registers and deletes webhooks. ``stubborn``: it says 204 and deletes nothing. ``blind``: it lists nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hooks: dict[str, str] = {"1": "http://somebody.example/else"}
        self.stubborn = self.blind = False
        self.posts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/webhooks"


class _Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        hooks = [{"id": key, "config": {"url": target}} for key, target in self.server.hooks.items()]
        self._say(404 if self.server.blind else 200, {"data": hooks})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts += 1
        self.server.hooks[str(len(self.server.hooks) + 7)] = body["target"]
        self._say(201, {})

    def do_DELETE(self) -> None:
        if not self.server.stubborn:
            self.server.hooks.pop(self.path.rsplit("/", 1)[-1], None)
        self._say(204, {})

    def _say(self, status: int, body: Any) -> None:
        data = b"" if status == 204 else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(resolve()) as running:
        yield running


@pytest.fixture
def database(server: Server, tmp_path: Path) -> Iterator[Postgres]:
    name = f"db{next(_numbers)}"
    server.create(name)
    yield Postgres(server.dsn(name, "postgres"), folder=tmp_path / "dumps", programs=server.installation.bin)

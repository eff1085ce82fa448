"""A small HTTP server of our own, in a process of its own, that can be told to be slow, frozen or broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = r"""
import asyncio, sys

async def handle(reader, writer):
    served = 0
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b" ", 2)
            served += 1
            body = b"ok"
            status, extra, close = b"200 OK", b"", False
            if path.startswith(b"/slow/"):
                await asyncio.sleep(float(path.rpartition(b"/")[2]))
            elif path == b"/fail":
                status = b"503 Service Unavailable"
            elif path == b"/rubbish":
                writer.write(b"SSH-2.0-what\r\n\r\n"); await writer.drain(); break
            elif path == b"/close":
                extra, close = b"Connection: close\r\n", True
            elif path == b"/until-eof":
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"); await writer.drain(); break
            elif path == b"/hang-up":
                break
            elif path == b"/chunked":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                await writer.drain(); await asyncio.sleep(0.001)
                writer.write(b"0\r\n\r\n"); await writer.drain(); continue
            elif path == b"/early":
                writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            elif path == b"/once" and served > 1:
                break
            writer.write(b"HTTP/1.1 " + status + b"\r\n" + extra + b"Content-Length: 2\r\n\r\n" + (b"" if method == b"HEAD" else body))
            await writer.drain()
            if close: break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()

async def main():
    if sys.argv[1] == "tcp":
        server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1000)
        print(server.sockets[0].getsockname()[1], flush=True)
    else:
        server = await asyncio.start_unix_server(handle, sys.argv[1])
        print(0, flush=True)
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""


class Server:
    def __init__(self, where: str = "tcp") -> None:
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, where], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.address = f"http://127.0.0.1:{self.port}"

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.end()


@pytest.fixture
def unix_server(tmp_path: Path) -> Iterator[Path]:
    running = Server(str(tmp_path / "s"))
    yield tmp_path / "s"
    running.end()

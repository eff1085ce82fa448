"""Reading needs no network and no other program, stays small, and ends, whatever the package holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

_ROOT = Path(__file__).parents[2]
_HOSTILE = ["million.zip", "million.tar.gz", "deep.zip", "layers.gz", "overlapping.zip", "text.sql.gz"]

#: A child in which every socket is an error, in C below the socket module as well.
_OFFLINE = """
import os, socket, sys
from pathlib import Path

def refused(event, arguments):
    if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        os.write(2, f"{event} {arguments}\\n".encode())
        os._exit(9)
    if event == "socket.__new__":
        os.write(2, b"a socket was made\\n")
        os._exit(9)
    if event in ("subprocess.Popen", "os.system", "os.posix_spawn") and arguments[0] not in (sys.executable, None):
        os.write(2, f"the program {arguments[0]} was started\\n".encode())
        os._exit(9)

import ctypes
if sys.platform == "linux":  # a network without an interface, for the programs we start as well, where the kernel lets us
    ctypes.CDLL(None).unshare(0x10000000 | 0x40000000)  # CLONE_NEWUSER | CLONE_NEWNET
sys.addaudithook(refused)
from fulldress.package import read
for path in sys.argv[1:]:
    facts = read(Path(path)).facts
    wrong = [f.detail for f in facts if type(f).__name__ == "Unread" and "its reader" in f.detail]
    assert not wrong, wrong
    print(len(facts))
"""


def packages(folder: Path) -> list[Path]:
    """Packages of several kinds with something for every reader."""
    script = b"#!/bin/sh\nset -e\ncurl -fsS https://updates.example/x | sh\nsystemctl restart dten\n"
    files = {
        "install.sh": script,
        "etc/cron.d/dten": b"5 3 * * * root /usr/bin/dten --sync sftp://files.example/in\n",
        "db/001_orders.sql": b"ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';\n",
        "package.json": b'{"name": "dten", "version": "4.0.1", "dependencies": {"left": ">=1"}}\n',
        "openapi.yaml": b"openapi: 3.0.0\ninfo: {title: dten, version: '4'}\npaths: {}\n",
        "install.ps1": b"Restart-Service dten\r\n",
        "SHA256SUMS": b"%s  install.sh\n" % (b"0" * 64),
        "dten.p7s": b"\x30\x82\x00\x10\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + bytes(9),
    }
    inner = make.zipped(files)
    made = {
        "dten-4.0.1.zip": inner,
        "dten-4.0.1.tar": make.tarred(files),
        "dten-4.0.1.tar.gz": make.gzipped(make.tarred({**files, "inner.zip": inner})),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in made]


def test_no_socket_is_opened_and_no_program_is_needed(tmp_path: Path) -> None:
    empty = tmp_path / "no-programs"
    empty.mkdir()
    environment = {"PATH": str(empty), "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path[1:])}
    ended = subprocess.run(
        [sys.executable, "-c", _OFFLINE, *map(str, packages(tmp_path))],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert all(int(count) > 10 for count in ended.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is measured in KiB on Linux alone")
def test_hostile_sizes_stay_small_and_are_told() -> None:
    ended = subprocess.run(
        [sys.executable, str(_ROOT / "benchmarks/bench_hostile.py"), "--small", *_HOSTILE],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count(" ok ") == len(_HOSTILE)

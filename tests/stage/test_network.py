"""Every connection is seen and goes where production.toml says it would."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fulldress.facts import Endpoint as Seen
from fulldress.facts import Unread, Webhook
from fulldress.production.description import Endpoint
from fulldress.stage import Stage, StagePlan
from stage_shell import shell

pytestmark = pytest.mark.stage

#: A client in the shell's own Python, since a stage promises no curl.
CLIENT = """import socket, sys
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
    s.sendall(sys.argv[3].encode() if len(sys.argv) > 3 else b'')
    print('got', s.recv(4096).decode().replace(chr(13), ''))
except OSError as error:
    print('error', error.strerror or error)
"""


def talk(stage: Stage, host: str, port: int, text: str = "", step: str = "step") -> str:
    stage.write("/opt/client.py", CLIENT.encode())
    result = stage.run(["/usr/bin/python3", "/opt/client.py", host, str(port), *([text] if text else [])], step=step)
    return result.output.strip()


def get(path: str, method: str = "GET", body: str = "", host: str = "x") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"


@pytest.fixture
def stage(tree: Path, tmp_path: Path) -> Iterator[Stage]:
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n10.1.2.3 ledger.internal ledger\n")
    (tmp_path / "answers.json").write_text(
        json.dumps(
            [
                {"path": "/hooks", "store": True, "items": [{"id": 7, "url": "https://old.example"}]},
                {
                    "method": "POST",
                    "path": "/pay*",
                    "status": 423,
                    "body": {"locked": True},
                    "headers": {"Retry-After": "5"},
                },
            ]
        )
    )
    plan = StagePlan(
        root=tree,
        scratch=tmp_path / "scratch",
        folder_of_production=tmp_path,
        endpoints=(
            Endpoint(host="imports.example", policy="retired"),
            Endpoint(host="10.66.0.1", policy="retired"),
            Endpoint(host="half.example", port=21, policy="retired"),
            Endpoint(host="hooks.example", policy="stub", answers="answers.json"),
            Endpoint(host="*.plain.example", policy="stub"),
            Endpoint(host="ledger.internal", policy="stub"),
        ),
    )
    with Stage(plan) as opened:
        yield opened


def seen(stage: Stage, host: str) -> list[tuple[int | None, str, str]]:
    return [(e.port, e.policy, e.outcome) for e in stage.connections() if e.host == host]


def test_retired_hosts_refuse_as_in_production(stage: Stage) -> None:
    assert "refused" in talk(stage, "imports.example", 22)
    assert "refused" in talk(stage, "10.66.0.1", 80)
    assert stage.wait_until(lambda: len(stage.connections()) == 2)
    assert seen(stage, "imports.example") == [(22, "retired", "refused")]
    assert seen(stage, "10.66.0.1") == [(80, "retired", "refused")]


def test_a_port_of_a_host_may_be_retired(stage: Stage) -> None:
    assert talk(stage, "half.example", 21, "x").startswith("error")
    assert seen(stage, "half.example") == [(21, "retired", "refused")]


def test_stubs_answer_from_their_script(stage: Stage) -> None:
    answer = talk(stage, "hooks.example", 8080, get("/pay/1?x=2", "POST", '{"password": "hunter2hunter2"}'))
    assert "423 Locked" in answer and "Retry-After: 5" in answer and '{"locked": true}' in answer
    assert seen(stage, "hooks.example") == [(8080, "stub", "answered")]
    words = stage.connections()[0].evidence.excerpt
    assert words.startswith("POST /pay/1?x=2") and "hunter2" not in words and "client.py" in words


def test_a_default_answer_is_said_to_be_one(stage: Stage) -> None:
    assert talk(stage, "api.plain.example", 80, get("/v1")).endswith("{}")
    assert seen(stage, "api.plain.example") == [(80, "stub", "answered by default")]
    assert any(isinstance(f, Unread) and "api.plain.example" in f.what for f in stage.facts())


def test_a_registry_keeps_what_is_registered(stage: Stage) -> None:
    made = talk(stage, "hooks.example", 80, get("/hooks", "POST", '{"url": "https://me.example/in"}'))
    assert "201 Created" in made and '"id": 1' in made
    assert "old.example" in talk(stage, "hooks.example", 80, get("/hooks"))
    assert [(w.target, w.registry, w.left) for w in stage.webhooks(left=True)] == [
        ("https://me.example/in", "http://hooks.example/hooks", True)
    ]
    assert "204" in talk(stage, "hooks.example", 80, get("/hooks/1", "DELETE"))
    assert "404" in talk(stage, "hooks.example", 80, get("/hooks/1", "DELETE"))
    assert stage.webhooks() == [] and not any(isinstance(f, Webhook) for f in stage.facts())


def test_unknown_hosts_are_recorded_and_closed(stage: Stage) -> None:
    assert talk(stage, "nobody.example", 443, get("/secret")) == "got"
    assert talk(stage, "203.0.113.9", 81, "hello\n") == "got"
    assert talk(stage, "2001:db8::9", 82, "hello\n") == "got"
    assert seen(stage, "nobody.example") == [(443, "", "unknown")]
    assert seen(stage, "203.0.113.9") == [(81, "", "unknown")]
    assert seen(stage, "2001:db8::9") == [(82, "", "unknown")]


def test_addresses_of_productions_hosts_file_have_their_names(stage: Stage) -> None:
    assert talk(stage, "ledger", 80, get("/x")).endswith("{}")
    assert seen(stage, "ledger.internal") == [(80, "stub", "answered by default")]


def test_tls_is_not_answered_and_said_so(stage: Stage) -> None:
    stage.write("/opt/tls.py", b"import ssl, socket\ns = socket.create_connection(('hooks.example', 443), 5)\n"
                b"ssl.create_default_context().wrap_socket(s, server_hostname='hooks.example')\n")  # fmt: skip
    assert stage.run(["/usr/bin/python3", "/opt/tls.py"], step="step").exit_code == 1
    assert seen(stage, "hooks.example") == [(443, "stub", "not answered: TLS")]
    assert "TLS for hooks.example" in stage.connections()[0].evidence.excerpt


def test_datagrams_are_recorded(stage: Stage) -> None:
    stage.write(
        "/opt/udp.py",
        b"import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('stats.example', 8125))\n",
    )
    stage.run(["/usr/bin/python3", "/opt/udp.py"], step="step")
    assert stage.wait_until(lambda: seen(stage, "stats.example") == [(8125, "", "recorded, not answered")])


def test_repeated_contacts_are_counted_by_step(stage: Stage) -> None:
    for step in ("one", "one", "two"):
        talk(stage, "nobody.example", 80, "x\n", step=step)
    assert sorted((e.evidence.step, e.count) for e in stage.connections()) == [("one", 2), ("two", 1)]


def test_there_is_no_way_out(stage: Stage) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    assert "refused" in talk(stage, "127.0.0.1", port)
    listener.settimeout(0.05)
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()
    _, output = shell(stage, "cat /proc/net/dev | grep -c : ; ls /sys/class/net 2>/dev/null")
    assert output.split()[0] == "1"


def test_database_addresses_are_led_to_the_clone(tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(8)

    def echo() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"clone:" + connection.recv(100))

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    addresses = {"db.internal:5432": path, "localhost:5433": path}
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s", database_addresses=addresses)) as stage:
        assert talk(stage, "db.internal", 5432, "hello") == "got clone:hello"
        assert talk(stage, "localhost", 5433, "hello") == "got clone:hello"
        code, output = shell(
            stage,
            "python3 -c \"import socket as s; c = s.socket(s.AF_UNIX); c.connect('/run/postgresql/.s.PGSQL.5433'); c.send(b'u'); print(c.recv(99))\"",
        )
        assert (code, output.strip()) == (0, "b'clone:u'")
        assert {(e.host, e.outcome) for e in stage.connections() if isinstance(e, Seen)} == {
            ("db.internal", "led to the clone"),
            ("localhost", "led to the clone"),
        }
    server.close()


def test_broken_answers_are_one_clear_error(tree: Path, tmp_path: Path) -> None:
    from fulldress.errors import StageError

    (tmp_path / "bad.json").write_text('[{"paht": "/x"}]')
    endpoint = Endpoint(host="a.example", policy="stub", answers="bad.json")
    with pytest.raises(StageError, match=r"bad\.json.*paht"):
        Stage(
            StagePlan(root=tree, scratch=tmp_path / "s", endpoints=(endpoint,), folder_of_production=tmp_path)
        ).__enter__()


def test_without_a_redirect_known_ports_are_listened_at(tree: Path, tmp_path: Path) -> None:
    endpoints = (Endpoint(host="api.example", port=7001, policy="stub"), Endpoint(host="old.example", policy="retired"))
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s", endpoints=endpoints, redirect=False)) as stage:
        assert talk(stage, "api.example", 7001, get("/v1")).endswith("{}")
        assert talk(stage, "nobody.example", 443, "x") == "got"
        assert "refused" in talk(stage, "old.example", 22)
        assert "refused" in talk(stage, "nobody.example", 7999)
        assert stage.wait_until(lambda: (7999, "", "refused: nothing answers there") in seen(stage, "nobody.example"))
        assert seen(stage, "old.example") == [(22, "retired", "refused")]
        assert any("ports other than the known" in lack.what for lack in stage.lacks)

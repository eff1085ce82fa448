"""Flags, webhooks and roles before and after, on a real venue: files of a folder, a registry on loopback, a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.database.postgres import Clone, Server, resolve
from fulldress.engine.venues.local import Local
from fulldress.facts import Credential, Flag, Webhook
from fulldress.facts.masking import MASK
from fulldress.rehearsal.leftovers import Registered, left, registered

AT = datetime(2026, 11, 29, 3, tzinfo=UTC)


class Registry(ThreadingHTTPServer):
    """Answers ``GET`` with ``status`` and ``body``, which a test may change."""

    status = 200
    body: bytes = b"[]"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}/hooks"

    def holds(self, listing: Any) -> None:
        self.body = json.dumps(listing).encode()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Registry)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def venue(folder: Path, databases: Mapping[str, Clone] | None = None) -> Local:
    return Local("here", folder=folder, databases=databases)


def test_flags_that_were_flipped_or_added_are_left(tmp_path: Path) -> None:
    store = tmp_path / "flags.json"
    store.write_text(json.dumps({"old": True, "group": {"a": 1, "api_token": "s3cr3t-s3cr3t"}, "list": [1, 2]}))
    here = venue(tmp_path)
    before = registered(here, (str(store),), (), (), "run:1")
    assert before.flags[str(store)] == {"old": "true", "group.a": "1", "group.api_token": MASK, "list": "[1, 2]"}
    store.write_text(json.dumps({"old": False, "group": {"a": 1, "api_token": "0ther"}, "new": "x"}))
    found = list(left(before, registered(here, (str(store),), (), (), "run:1"), "run:1", AT))
    assert [(f.name, f.value, f.store, f.left) for f in found if isinstance(f, Flag)] == [
        ("new", '"x"', str(store), True),
        ("old", "false", str(store), True),
    ]
    assert [f.evidence.excerpt for f in found] == [
        'new: absent before, "x" after the rollback',
        "old: true before, false after the rollback",
    ]
    assert len(found) == 2 and all(f.evidence.step == "rollback" and f.evidence.at == AT for f in found)


def test_a_store_that_is_not_there_holds_nothing_and_one_that_is_no_json_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "noise.json").write_bytes(b"\xff\xfe\x00{")
    paths = tuple(str(tmp_path / name) for name in ("absent.json", "broken.json", "noise.json"))
    found = registered(venue(tmp_path), paths, (), (), "run:1")
    assert found.flags == {paths[0]: {}}
    assert [gap.what for gap in found.unread] == list(paths[1:])
    assert all(gap.detail.startswith("not JSON") for gap in found.unread)


@pytest.mark.parametrize(
    "listing",
    [
        [{"id": 7, "target": "http://a.example"}],
        {"hooks": [{"id": "7", "url": "http://a.example"}], "next": None},
        [{"id": 7, "body": {"callback": "http://a.example"}}],
    ],
)
def test_listings_of_several_shapes(tmp_path: Path, registry: Registry, listing: Any) -> None:
    registry.holds(listing)
    found = registered(venue(tmp_path), (), (registry.address,), (), "run:1")
    assert found.webhooks == {registry.address: {"7": "http://a.example"}} and found.unread == ()


def test_a_webhook_that_is_new_after_the_rollback_is_left(tmp_path: Path, registry: Registry) -> None:
    here = venue(tmp_path)
    registry.holds([{"id": 1, "target": "http://old.example"}, {"id": 2, "target": "http://gone.example"}])
    before = registered(here, (), (registry.address,), (), "run:1")
    registry.holds([{"id": 1, "target": "http://old.example"}, {"id": 9, "target": "http://new.example"}])
    (hook,) = left(before, registered(here, (), (registry.address,), (), "run:1"), "run:1", AT)
    assert isinstance(hook, Webhook) and hook.left
    assert (hook.target, hook.registry) == ("http://new.example", registry.address)


@pytest.mark.parametrize(("status", "body"), [(503, b"[]"), (200, b"<html>"), (401, b"")])
def test_a_registry_that_does_not_tell_is_a_gap(tmp_path: Path, registry: Registry, status: int, body: bytes) -> None:
    registry.status, registry.body = status, body
    found = registered(venue(tmp_path), (), (registry.address, "http://127.0.0.1:1/hooks"), (), "run:1")
    assert found.webhooks == {}
    assert [gap.what for gap in found.unread] == [registry.address, "http://127.0.0.1:1/hooks"]
    assert "refused" in found.unread[1].detail


@pytest.mark.postgres
def test_roles_that_are_new_are_left_with_their_end(tmp_path: Path) -> None:
    with Server(resolve(), tmp_path) as server:
        clone = server.create("shop")
        here = venue(tmp_path, {"main": clone})
        before = registered(here, (), (), ("main", "other"), "run:1")
        assert [(gap.what, "other" in gap.detail) for gap in before.unread] == [("roles of other", True)]
        clone.query("CREATE ROLE importer LOGIN VALID UNTIL '2027-01-01 00:00+00'")
        clone.query("CREATE ROLE forever")
        found = list(left(before, registered(here, (), (), ("main",), "run:1"), "run:1", AT))
    assert [(c.name, c.kind, c.left) for c in found if isinstance(c, Credential)] == [
        ("forever", "database role", True),
        ("importer", "database role", True),
    ]
    ends = [c.expires for c in found if isinstance(c, Credential)]
    assert ends == [None, datetime(2027, 1, 1, tzinfo=UTC)]


names = st.text("abc", min_size=1, max_size=2)
states = st.builds(
    lambda flags, hooks, roles: Registered(flags=flags, webhooks=hooks, roles=roles),
    st.dictionaries(names, st.dictionaries(names, st.sampled_from(("true", "false")))),
    st.dictionaries(names, st.dictionaries(names, names)),
    st.dictionaries(names, st.dictionaries(names, st.none())),
)


@settings(max_examples=40, deadline=None)
@given(states, states)
def test_nothing_is_left_where_nothing_changed(before: Registered, after: Registered) -> None:
    assert list(left(after, after, "run:1", AT)) == []
    found = list(left(before, after, "run:1", AT))
    roles = {(d, r) for d, held in after.roles.items() for r in held if r not in before.roles.get(d, {})}
    assert len([f for f in found if isinstance(f, Credential)]) == len(roles)

"""One server for all tests of the room, with a small shop in it; every test works on a copy of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pytest

from fulldress.database.postgres import Clone, Server, installations, resolve
from fulldress.findings import Outcome

SHOP = """
CREATE TABLE orders (id serial PRIMARY KEY, total int NOT NULL, legacy_ref text, paid numeric(10,2), extra jsonb);
INSERT INTO orders (total, legacy_ref, paid, extra) SELECT g, 'ref ' || g, g * 1.10, '{"a": 1}' FROM generate_series(1, 20000) g;
CREATE TABLE lines (order_id int, n int);
INSERT INTO lines SELECT g, g % 7 FROM generate_series(1, 500) g;
CREATE TABLE schema_version (v int);
INSERT INTO schema_version VALUES (3);
"""
#: Runs the room's tests on another major, one that ``fulldress database add`` has fetched.
MAJOR = "FULLDRESS_TEST_MAJOR"
_numbers = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(resolve(None, int(os.environ.get(MAJOR, "0")) or None)) as running:
        yield running


@pytest.fixture(scope="session")
def shop(server: Server) -> Clone:
    clone = server.create("shop")
    assert clone.execute(SHOP, name="shop.sql", step="set up").outcome is Outcome.PASS
    return clone


@pytest.fixture
def clone(shop: Clone) -> Iterator[Clone]:
    copy = shop.copy(f"copy{next(_numbers)}")
    yield copy
    copy.drop()


@pytest.fixture(scope="session")
def production() -> Iterator[Clone]:
    """A server that plays production, with roles, owners, grants and settings; nobody changes it."""
    with Server(installations()[0]) as server:
        clone = server.create("prod")
        clone.execute(
            """CREATE ROLE shopd LOGIN; CREATE ROLE "Odd role"; GRANT shopd TO "Odd role";
            CREATE SCHEMA app AUTHORIZATION shopd; CREATE TABLE app.orders (id int PRIMARY KEY, ref text);
            ALTER TABLE app.orders OWNER TO shopd; GRANT SELECT ON app.orders TO "Odd role";
            INSERT INTO app.orders SELECT g, 'r' || g FROM generate_series(1, 3000) g;
            ALTER DATABASE prod SET search_path TO app, public; ALTER DATABASE prod SET lock_timeout = '7s'""",
            name="prod.sql",
            step="",
        )
        yield clone

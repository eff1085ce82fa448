from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.production import uses
from fulldress.production.logs import Request

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/orders/17", "/orders/{id}"),
        ("/v2/orders/17/lines?page=2", "/v2/orders/{id}/lines"),
        ("/u/0b6f3f0a-1111-4222-8333-444455556666", "/u/{uuid}"),
        ("/blob/9f86d081884c7d65", "/blob/{hex}"),
        ("/day/2026-11-01", "/day/{date}"),
        ("/who/ann@mail.example", "/who/{email}"),
        ("/invoices/INV-20931", "/invoices/{id}"),
        ("/static/app.js", "/static/app.js"),
        ("/", "/"),
        ("", "/"),
    ],
)
def test_fold(path: str, template: str) -> None:
    assert uses.fold(path) == template


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(path: str) -> None:
    assert uses.fold(uses.fold(path)) == uses.fold(path)


def test_known_templates_come_first_and_literals_beat_parameters() -> None:
    name = uses.folder(("GET /orders/{id}", "GET /orders/latest", "GET /files/{name}.json"))
    assert name("GET", "/orders/latest") == "GET /orders/latest"
    assert name("GET", "/orders/abc?x=1") == "GET /orders/{id}"
    assert name("GET", "/files/a.json") == "GET /files/{name}.json"
    assert name("POST", "/orders/7") == "POST /orders/{id}"


def request(n: int, path: str, **fields: object) -> Request:
    values = {"status": 200, "agent": "Mozilla/5.0"} | fields
    return Request(
        START + timedelta(minutes=n),
        None,
        "GET",
        path,
        int(str(values["status"])),
        0,
        f"10.0.0.{n % 30}",
        str(values["agent"]),
    )


def test_names_without_a_shape_are_suggested_by_their_number() -> None:
    rows = [request(n, f"/users/{'abcdefghij'[n % 10]}{'klmnop'[n // 10]}/orders") for n in range(60)]
    (use,) = uses.uses(rows)
    assert (use.operation, use.calls) == ("GET /users/{name}/orders", 60)
    assert use.clients[-1] == "and 18 more"
    assert len(use.clients) == 13


def test_missing_operations_and_outbound_calls_are_no_use() -> None:
    rows = [request(0, "/a", status=404), request(1, "/b", agent="sync/2 (x)")]
    (use,) = uses.uses(rows)
    assert (use.operation, use.clients, use.first) == ("GET /b", ("sync/2",), START + timedelta(minutes=1))

"""The case folders of ``package.interfaces``: a package and the facts expected of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.facts import Interface
from fulldress.package import interfaces
from fulldress.package.interfaces import graphql, protobuf
from fulldress.package.reader import Member
from openfolder import open_folder

CASES = Path(__file__).parent / "cases" / "interfaces"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, interfaces.read(open_folder(case)))


def member(name: str, text: str) -> Member:
    data = text.encode("utf-8", "replace")
    return Member(source="0", path=name, kind="text", size=len(data), sha256="0", data=data)


PROTO = "syntax = 'proto3'; message A { string a = 1; B b = 2; message B { repeated A c = 3; } } service S { rpc G(A) returns (stream A) { option deprecated = true; } }"


@given(st.one_of(st.text(max_size=300), st.integers(0, len(PROTO)).map(lambda n: PROTO[:n] + PROTO[n + 3 :])))
@example("message A{" * 3000)
@example("service S { rpc G(A) returns (A) {" + "{" * 3000)
def test_no_text_breaks_the_reader_of_protobuf(text: str) -> None:
    try:
        facts = list(protobuf.read(member("x.proto", text)))
    except protobuf.Unreadable:
        return
    assert all(isinstance(fact, Interface) for fact in facts)


SDL = "type Query { a(b: [Int!]! = 3 @x): Q! @deprecated } type Q { q: Query } extend type Query { c: Int } schema { query: Query }"


@given(st.one_of(st.text(max_size=300), st.integers(0, len(SDL)).map(lambda n: SDL[:n] + SDL[n + 3 :])))
@example("type Query { a: " + "[" * 5000)
@example('{"__schema": 3}')
@example('{"data": {"__schema": {"types": []}}}')
def test_no_text_breaks_the_reader_of_graphql(text: str) -> None:
    try:
        facts = list(graphql.read(member("x.graphql", text)))
    except graphql.Unreadable:
        return
    assert all(isinstance(fact, Interface) for fact in facts)


def test_an_introspection_reads_as_its_schema() -> None:
    from graphql import build_schema, introspection_from_schema

    document = json.dumps({"data": introspection_from_schema(build_schema(SDL.replace(" @x", "")))})
    operations = [f.operation for f in graphql.read(member("schema.json", document)) if isinstance(f, Interface)]
    assert operations == ["query a", "query c"]

"""GraphQL schemas (SDL, or the JSON of an introspection) -> one Interface per field of query, mutation, subscription.

``query orders``; shape ``query:limit?=Int`` for an argument, ``200:=[Order!]!`` for the answer and
``200:items.total=Float`` for the fields behind it. Source: GraphQL specification, October 2021, section 3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from fulldress.facts import AnyFact, Interface, Witness
from fulldress.package.reader import Member

_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_DEEPEST = 2
_MOST = 600
_TOKENS = 400_000  #: of one document
CUT = "and more:=cut"  #: as in :mod:`.protobuf`


class Unreadable(Exception):
    """A document that is no schema; the message says why."""


def is_schema(text: str) -> bool:
    """Whether a document defines types: documents of queries are clients' affair."""
    return "type " in text or '"__schema"' in text or "extend type" in text


def read(member: Member) -> Iterator[AnyFact]:
    """Interfaces by root and name. Raises :class:`Unreadable`."""
    from graphql import GraphQLError, build_client_schema, parse, print_schema

    text = member.text
    from_introspection = '"__schema"' in text
    try:
        if from_introspection:
            document = json.loads(text)
            introspection = document.get("data", document) if isinstance(document, dict) else {}
            text = print_schema(build_client_schema(cast(Any, introspection)))
        tree = parse(text, max_tokens=_TOKENS)
    except RecursionError:
        raise Unreadable("nested too deep") from None
    except (GraphQLError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(" ".join(str(error).split())[:160]) from None
    types = _types(tree)
    for root, name in _roots(tree).items():
        for field in types.get(name, {}).values():
            line = 0 if from_introspection else field.loc.start_token.line
            yield Interface(
                witness=Witness.READ,
                evidence=member.evidence(line, 0, f"{root} {field.name.value}"),
                kind="graphql",
                operation=f"{root} {field.name.value}",
                deprecated=any(d.name.value == "deprecated" for d in field.directives or ()),
                shape=tuple(sorted(set(_shape(types, field)))),
            )


def _types(tree: Any) -> dict[str, dict[str, Any]]:
    """Fields by name, by type; extensions are added to what they extend."""
    found: dict[str, dict[str, Any]] = {}
    for node in tree.definitions:
        if node.kind.startswith(("object_type", "interface_type", "input_object_type")):
            found.setdefault(node.name.value, {}).update({f.name.value: f for f in node.fields or ()})
    return found


def _roots(tree: Any) -> dict[str, str]:
    roots = dict(_ROOTS)
    for node in tree.definitions:
        if node.kind in ("schema_definition", "schema_extension"):
            roots |= {o.operation.value: o.type.name.value for o in node.operation_types or ()}
    return roots


def _shape(types: dict[str, dict[str, Any]], field: Any) -> Iterator[str]:
    from graphql import print_ast

    for argument in field.arguments or ():
        required = argument.type.kind == "non_null_type" and argument.default_value is None
        mark = "" if required else "?"
        yield f"query:{argument.name.value}{mark}={print_ast(argument.type).rstrip('!')}"
        for path, kind, needed in _fields(types, argument.type, f"{argument.name.value}.", 0, ()):
            yield f"query:{path}{'' if needed else '?'}={kind}"
    yield f"200:={print_ast(field.type)}"
    for number, (path, kind, needed) in enumerate(_fields(types, field.type, "", 0, ())):
        if number >= _MOST:
            yield CUT
            return
        yield f"200:{path}{'' if needed else '?'}={kind}"


def _fields(
    types: dict[str, dict[str, Any]], type_: Any, prefix: str, depth: int, trail: tuple[str, ...]
) -> Iterator[tuple[str, str, bool]]:
    from graphql import print_ast

    while hasattr(type_, "type"):  # lists and non-null wrap the type
        type_ = type_.type
    name = type_.name.value
    if depth > _DEEPEST or name in trail:
        return
    for field in types.get(name, {}).values():
        needed = field.type.kind == "non_null_type"
        yield f"{prefix}{field.name.value}", print_ast(field.type).rstrip("!"), needed
        yield from _fields(types, field.type, f"{prefix}{field.name.value}.", depth + 1, (*trail, name))

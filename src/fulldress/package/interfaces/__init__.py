"""What others call: OpenAPI 2, 3.0 and 3.1, gRPC services, GraphQL schemas, public names of Python packages; and what
release notes say becomes of operations. Symbols of libraries are read with the binaries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Interface, Reason, Unread, Witness
from fulldress.package.interfaces import graphql, modules, openapi, protobuf, sentences
from fulldress.package.manifests import prose
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_LARGEST = 48 << 20
_GRAPHQL = frozenset({"graphql", "gql", "graphqls"})
_ELSEWHERE = regex(
    r"(?i)(?:^|/)(?:node_modules|site-packages|third[-_]party|tests?|testdata|fixtures|bower_components)/"
)


def read(package: Package) -> Iterator[AnyFact]:
    """Interfaces (``read``) and their declared changes. Descriptions of bundled components and tests are left out."""
    for path in sorted(package.members):
        member = package.members[path]
        if member.kind in ("folder", "link", "device", "empty") or _ELSEWHERE.search(member.inner):
            continue
        suffix = member.name.rsplit(".", 1)[-1].lower()
        if suffix == "proto" or suffix in _GRAPHQL or (suffix == "json" and b'"__schema"' in member.data[:4096]):
            yield from _schema(member, suffix)
            continue
        if suffix in ("json", "yaml", "yml") or member.kind in ("json", "yaml"):
            yield from _description(package, member)
        elif member.kept and prose.is_document(member):
            yield from sentences.read(member)
    if package.options.compared:
        yield from modules.read(package)


def _schema(member: Member, suffix: str) -> Iterator[AnyFact]:
    if not member.kept:
        yield _gap(member, Reason.BUDGET, f"{member.size:,} bytes are too many for an API description")
        return
    cut = 0
    try:
        facts = protobuf.read(member) if suffix == "proto" else ()
        if suffix != "proto" and graphql.is_schema(member.text):
            facts = graphql.read(member)
        for fact in facts:
            cut += isinstance(fact, Interface) and protobuf.CUT in fact.shape
            yield fact
    except (protobuf.Unreadable, graphql.Unreadable) as error:
        yield _gap(member, Reason.GRAMMAR, str(error))
    if cut:
        yield _gap(member, Reason.BUDGET, f"{cut} shapes were cut at 600 parts")


def _description(package: Package, member: Member) -> Iterator[AnyFact]:
    if member.size > _LARGEST:
        if re.search(r"(?i)openapi|swagger|api", member.name):
            yield _gap(member, Reason.BUDGET, f"{member.size:,} bytes are too many for an API description")
        return
    if member.kept:
        text = member.text
    else:
        with package.open(member.path) as file:
            text = file.read(_LARGEST).decode("utf-8", "replace").removeprefix("\ufeff")
    if not openapi.is_description(text):
        return
    try:
        yield from openapi.read(member, text)
    except openapi.Unreadable as error:
        yield _gap(member, Reason.GRAMMAR, str(error))


def _gap(member: Member, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=member.evidence(),
        what=f"API description {member.path}",
        reason=reason,
        detail=detail,
    )

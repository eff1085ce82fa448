"""Authenticode in MSI packages: a stream with the signature, and a digest over all other streams by name.

Source: [MS-CFB] for the compound file. The digest is over the streams in the order of their names, storages with their class
after their streams; a stream ``MsiDigitalSignatureEx`` holds a digest of the names, sizes and times, too, and comes first
then, as the signing tools of Windows do it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from fulldress.facts import AnyFact
from fulldress.package.archives import Damage
from fulldress.package.archives.compound import Compound, Node
from fulldress.package.signatures import authenticode
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.judged import Ground

KINDS = frozenset({"msi", "cfb"})
MAGIC = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_SIGNATURE, _EXTENDED = ("\5DigitalSignature".encode("utf-16-le"), "\5MsiDigitalSignatureEx".encode("utf-16-le"))
_LARGEST = 16_000_000
_CHUNK = 1 << 20


def judge(held: Held, ground: Ground) -> Iterator[AnyFact]:
    """The signature of one package."""
    held.stream.seek(0)
    try:
        file = Compound(held.stream)
        own = {node.name: node for node in file.root.children}
        if _SIGNATURE not in own:
            return
        raw = file.read(own[_SIGNATURE].stream, _LARGEST)
        extended = file.read(own[_EXTENDED].stream, 1024) if _EXTENDED in own else b""
    except Damage as damage:
        yield authenticode.cannot(held, str(damage))
        return
    fits = True

    def digest(name: str) -> bytes:
        nonlocal fits
        state = hashlib.new(name, usedforsecurity=False)
        if extended:
            before = hashlib.new(name, usedforsecurity=False)
            _described(file.root, before, top=True)
            fits = before.digest() == extended
            state.update(extended)
        try:
            _contents(file, file.root, state, top=True)
        except Damage:
            return b""
        return state.digest() if fits else b""

    yield from authenticode.judged(
        raw,
        digest,
        held,
        ground,
        lambda content: () if fits else ["the names, sizes or times of its streams are not those that were signed"],
    )


def _sorted(node: Node) -> list[Node]:
    return sorted(node.children, key=lambda child: child.name)


def _contents(file: Compound, node: Node, state: Any, *, top: bool = False) -> None:
    for child in _sorted(node):
        if top and child.name in (_SIGNATURE, _EXTENDED):
            continue
        if child.is_storage:
            _contents(file, child, state)
            continue
        with file.open(child.stream) as stream:
            stream.seek(0)
            left = child.stream.size
            while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
                state.update(chunk)
                left -= len(chunk)
    state.update(node.clsid)


def _described(node: Node, state: Any, *, top: bool = False) -> None:
    _head(node, state, top)
    for child in _sorted(node):
        if top and child.name in (_SIGNATURE, _EXTENDED):
            continue
        if child.is_storage:
            _described(child, state)
        else:
            _head(child, state, False)


def _head(node: Node, state: Any, top: bool) -> None:
    if not top:
        state.update(node.name)
    state.update(node.clsid if node.is_storage else (node.stream.size & 0xFFFFFFFF).to_bytes(4, "little"))
    state.update(node.bits)
    if not top:
        state.update(node.times)

"""Streams of messages are cut at their borders, however they arrive and however long their rows are."""

from __future__ import annotations

import random

import pytest

from fulldress.database.postgres.tap.messages import Framer, Message, message


@pytest.mark.parametrize("seed", range(12))
def test_a_stream_is_cut_at_its_borders(seed: int) -> None:
    chance = random.Random(seed)
    most = chance.choice((1, 5, 60, 900))
    whole, wanted = [], []
    for _ in range(chance.randrange(5000)):
        kind = chance.choices((b"D", b"d", b"C", b"Z"), (60, 30, 1, 1))[0] if seed % 2 else b"D"
        # what looks like the end of a message stands in rows, too
        body = chance.choice((b"", b"Z\0\0\0\5I", b"x")) * chance.randrange(most + 1)
        whole.append(message(kind, body))
        if kind in (b"C", b"Z"):
            wanted.append((kind, body))
    stream = b"".join(whole)
    framer = Framer((b"C", b"Z"))
    passed, found, at = [], [], 0
    while at < len(stream):
        size = chance.choice((1, 7, 300, 4096, 1 << 18))
        for one in framer.feed(stream[at : at + size]):
            passed.append(one.raw)
            if isinstance(one, Message):
                found.append((one.kind, one.body))
        at += size
    assert b"".join(passed) + framer.rest == stream
    assert found == wanted and framer.rest == b""

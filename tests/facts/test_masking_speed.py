"""Masking meets hostile lines: its work has to grow with their length, not with its square or cube."""

import subprocess
import sys

import pytest

from fulldress.facts import MASK, mask

HOSTILE = {
    "digits": '"9" * 200_000',
    "dashes": '"-" * 200_000',
    "dots": '"a." * 100_000',
    "keywords": '"pass" * 50_000',
    "options": '"--pass-" * 30_000',
    "addresses": '"a://b:" * 30_000',
    "blanks": '"pass" + " " * 200_000',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_ends(text: str) -> None:
    subprocess.run([sys.executable, "-c", f"from fulldress.facts import mask; mask({text})"], check=True, timeout=30)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("my_password=abc", f"my_password={MASK}"),
        ('x.api_key: "q w"', f"x.api_key: {MASK}"),
        ("run --token=abc -v", f"run --token={MASK} -v"),
        ("postgres://u:pw@h/db", f"postgres://u:{MASK}@h/db"),
        ('foo$password="x"', f"foo$password={MASK}"),
        ("TOKEN=$TOKEN", "TOKEN=$TOKEN"),
        ('"secret": "a b"', f'"secret": {MASK}'),
        ("no secret here", "no secret here"),
        ("SET order_token = ( SELECT token FROM o )", "SET order_token = ( SELECT token FROM o )"),
        ("password = (abcdef1", f"password = {MASK}"),
        ("proxy_pass = http://workers", "proxy_pass = http://workers"),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked

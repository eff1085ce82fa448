"""What text tools print of a known input: decoders, unpackers, ``tr``, ``cut``, ``sed`` and their like.

Installers carry scripts in base64, in hex or packed, and pipe them into a shell. What comes out is read like any other
script. A tool is a function and a line in :data:`TOOLS`; it gives None for what it is not sure of, and text is then unknown.
Nothing is executed; what is unpacked is bounded.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from itertools import pairwise

from fulldress.patterns import regex

MOST = 256 * 1024  #: bytes that come out of one tool
Tool = Callable[[tuple[str, ...], bytes], bytes | None]  #: arguments and input; what is printed, None: not known

_ESCAPED = regex(rb"\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|([abefnrtv\\'\"]))")
_SIGNS = {b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_CLASSES = {"[:lower:]": "a-z", "[:upper:]": "A-Z", "[:digit:]": "0-9", "[:alpha:]": "A-Za-z", "[:alnum:]": "A-Za-z0-9",
            "[:space:]": " \t\n\r\f\v", "[:blank:]": " \t"}  # fmt: skip


def unescaped(text: str) -> str:
    """Octal, hexadecimal and named escapes, as ``printf`` and ``echo -e`` read them; what is no text stays as it is."""

    def sign(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return bytes([int(match[1], 16)])
        if match[2]:
            return bytes([int(match[2], 8) & 0xFF])
        return _SIGNS.get(match[3], match[3])

    try:
        return _ESCAPED.sub(sign, text.encode()).decode()
    except UnicodeError:
        return text


def output(name: str, arguments: tuple[str, ...], given: bytes) -> bytes | None:
    """What the tool prints; None where it is none of these, has other options, or makes too much."""
    tool = TOOLS.get(name)
    try:
        made = tool(arguments, given) if tool is not None else None
    except (ValueError, binascii.Error, zlib.error, lzma.LZMAError, OSError, EOFError, re.error):
        return None
    return made if made is not None and len(made) <= MOST else None


def _flags(arguments: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """Letters of short options and names of long ones; and the operands."""
    flags: set[str] = set()
    plain: list[str] = []
    for word in arguments:
        if word.startswith("--") and len(word) > 2:
            flags.add(word[2:])
        elif word.startswith("-") and len(word) > 1:
            flags |= set(word[1:])
        else:
            plain.append(word)
    return flags, [word for word in plain if word != "-"]


def _base64(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    flags, plain = _flags(arguments)
    if plain or not flags & {"d", "D", "decode"}:
        return None
    return base64.b64decode(b"".join(given.split()) + b"==")


def _base32(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    flags, plain = _flags(arguments)
    return None if plain or not flags & {"d", "decode"} else base64.b32decode(b"".join(given.split()))


def _openssl(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    if "-d" not in arguments or not {"base64", "-base64", "-a"} & set(arguments):
        return None
    if not set(arguments) <= {"base64", "enc", "-base64", "-a", "-A", "-d"}:
        return None  # encrypted
    return base64.b64decode(b"".join(given.split()) + b"==")


def _xxd(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    words = "".join(arguments)
    if "r" not in words or not re.search(r"-(?:r?p|ps|plain)", words):
        return None
    return binascii.unhexlify(re.sub(rb"[^0-9a-fA-F]", b"", given))


def _tr(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    flags, plain = _flags(arguments)
    if not plain or flags - {"d", "s"}:
        return None
    text, first = given.decode(), _set(plain[0])
    if "d" in flags:
        return "".join(sign for sign in text if sign not in first).encode()
    if len(plain) < 2 or flags:
        return None
    second = _set(plain[1])
    second += second[-1:] * (len(first) - len(second))
    return text.translate(dict(zip(map(ord, first), second, strict=False))).encode() if second else None


def _set(text: str) -> str:
    """A set of ``tr``: ranges and classes spelt out."""
    for name, signs in _CLASSES.items():
        text = text.replace(name, signs)
    text = unescaped(text)
    return re.sub(
        r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), min(ord(m[2]), ord(m[1]) + 255) + 1))), text, flags=re.S
    )


def _rows(arguments: tuple[str, ...], given: bytes, change: Callable[[str], str | None]) -> bytes | None:
    changed = [change(row) for row in given.decode().removesuffix("\n").split("\n")]
    return ("\n".join(row for row in changed if row is not None) + "\n").encode()


def _rev(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    return None if arguments else _rows(arguments, given, lambda row: row[::-1])


def _tac(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    return None if arguments else ("\n".join(reversed(given.decode().removesuffix("\n").split("\n"))) + "\n").encode()


def _cut(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    value = _values(arguments, "cbfd")
    place = value.get("c") or value.get("b") or value.get("f") or ""
    bounds = re.fullmatch(r"(\d{1,5})?(-)?(\d{1,5})?", place)
    if bounds is None or not place or value.get("?"):
        return None
    first, last = int(bounds[1] or 1), int(bounds[3]) if bounds[3] else None if bounds[2] else int(bounds[1] or 1)
    if "f" not in value:
        return _rows(arguments, given, lambda row: row[first - 1 : last])
    sign = value.get("d", "\t") or "\t"
    return _rows(arguments, given, lambda row: sign.join(row.split(sign)[first - 1 : last]) if sign in row else row)


def _values(arguments: tuple[str, ...], letters: str) -> dict[str, str]:
    """Values of short options, joined or in the next word; ``?`` for anything else."""
    found: dict[str, str] = {}
    taken = False
    for word, after in pairwise((*arguments, "")):
        if taken:
            taken = False
        elif word[:1] == "-" and word[1:2] and word[1] in letters:
            found[word[1]] = word[2:] or after
            taken = not word[2:]
        else:
            found["?"] = word
    return found


def _head(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    value = _values(tuple(re.sub(r"^-(\d+)$", r"-n\1", word) for word in arguments), "nc")
    count = value.get("c") or value.get("n") or "10"
    if value.get("?") or not re.fullmatch(r"\d{1,6}", count):
        return None
    return given[: int(count)] if "c" in value else b"".join(given.splitlines(keepends=True)[: int(count)])


def _tail(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    value = _values(tuple(re.sub(r"^-(\d+)$", r"-n\1", word) for word in arguments), "nc")
    count = value.get("c") or value.get("n") or "10"
    if value.get("?") or not re.fullmatch(r"\+?\d{1,6}", count):
        return None
    number, pieces = (
        int(count),
        [given[i : i + 1] for i in range(len(given))] if "c" in value else given.splitlines(keepends=True),
    )
    return b"".join(
        pieces[max(number - 1, 0) :] if count[0] == "+" else pieces[len(pieces) - number :] if number else []
    )


_SUBSTITUTION = regex(
    r"s(?P<mark>[^\w\s\\])(?P<old>(?:(?!(?P=mark)).)*)(?P=mark)(?P<new>(?:(?!(?P=mark)).)*)(?P=mark)(?P<flags>g?)", re.S
)
_FROM_MARK = regex(r"1,/(\^?)([\w #:=@~.-]{1,80})(\$?)/\s*d")
_PLAIN = regex(r"\^?[^\\.\[\]*+?(){}|^$]*\$?")


def _sed(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    """``s/plain/text/``, ``1,/^MARK$/d``, ``Nd``; several with ``-e``. Anything else is not known."""
    expressions = [after for word, after in pairwise((*arguments, "")) if word == "-e"] or list(arguments)
    if any(word.startswith("-") for word in arguments if word != "-e"):
        return None
    rows: list[str] = given.decode().removesuffix("\n").split("\n")
    for expression in expressions if "-e" in arguments or len(arguments) == 1 else []:
        if match := _FROM_MARK.fullmatch(expression):
            fits = regex(f"{match[1]}{re.escape(match[2])}{match[3]}")
            mark = next((number for number, row in enumerate(rows) if number and fits.search(row)), len(rows) - 1)
            rows = rows[mark + 1 :]
        elif match := re.fullmatch(r"(\d{1,5})(?:,(\d{1,5}))?d", expression):
            del rows[int(match[1]) - 1 : int(match[2] or match[1])]
        elif (
            (match := _SUBSTITUTION.fullmatch(expression))
            and _PLAIN.fullmatch(match["old"])
            and not re.search(r"[\\&]", match["new"])
        ):
            old, new, every = match["old"], match["new"], 0 if match["flags"] else 1
            pattern = regex(re.sub(r"[^^$]+", lambda m: re.escape(m[0]), old))
            rows = [pattern.sub(lambda _: new, row, count=every) for row in rows]  # noqa: B023
        else:
            return None
    return ("\n".join(rows) + "\n").encode() if "-e" in arguments or len(arguments) == 1 else None


def _awk(arguments: tuple[str, ...], given: bytes) -> bytes | None:
    match = (
        re.fullmatch(r"\s*\{\s*print\s+\$(\d{1,2}|NF)\s*;?\s*\}\s*", arguments[-1])
        if len(arguments) in (1, 2)
        else None
    )
    if match is None or (len(arguments) == 2 and not arguments[0].startswith("-F")):
        return None
    sign = arguments[0][2:] if len(arguments) == 2 else None
    if sign is not None and len(sign) != 1:
        return None

    def field(row: str) -> str:
        parts = row.split(sign)
        place = len(parts) if match[1] == "NF" else int(match[1])
        return row if place == 0 else parts[place - 1] if place <= len(parts) else ""

    return _rows(arguments, given, field)


def _unpacks(always: bool, decompress: Callable[[bytes], bytes]) -> Tool:
    def tool(arguments: tuple[str, ...], given: bytes) -> bytes | None:
        flags, plain = _flags(arguments)
        return decompress(given) if not plain and (always or flags & {"d", "decompress", "uncompress"}) else None

    return tool


def _gunzip(given: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(given, MOST + 1)


def _bunzip(given: bytes) -> bytes:
    return bz2.BZ2Decompressor().decompress(given, MOST + 1)


def _unxz(given: bytes) -> bytes:
    return lzma.LZMADecompressor(memlimit=64 << 20).decompress(given, MOST + 1)


TOOLS: dict[str, Tool] = {
    "base64": _base64,
    "base32": _base32,
    "openssl": _openssl,
    "xxd": _xxd,
    "tr": _tr,
    "rev": _rev,
    "tac": _tac,
    "cut": _cut,
    "head": _head,
    "tail": _tail,
    "sed": _sed,
    **dict.fromkeys(("awk", "gawk", "mawk"), _awk),
    **dict.fromkeys(("gunzip", "zcat", "gzcat"), _unpacks(True, _gunzip)),
    **dict.fromkeys(("gzip", "pigz"), _unpacks(False, _gunzip)),
    **dict.fromkeys(("bunzip2", "bzcat"), _unpacks(True, _bunzip)),
    "bzip2": _unpacks(False, _bunzip),
    **dict.fromkeys(("unxz", "xzcat", "unlzma", "lzcat"), _unpacks(True, _unxz)),
    **dict.fromkeys(("xz", "lzma"), _unpacks(False, _unxz)),
}


#: Tools whose last operand is a file that they read instead of their input.
_OF_FILES = frozenset({"sed", "tail", "head", "base64", "zcat", "gunzip", "xxd", "tac", "rev", "bzcat", "xzcat", "cut"})


def file_of(name: str, arguments: tuple[str, ...]) -> str:
    """The file that such a tool may read instead of its input; empty where it can be none."""
    least = 2 if name in ("sed", "cut") else 1
    last = arguments[-1] if len(arguments) >= least else ""
    return last if name in _OF_FILES and not last.startswith("-") else ""

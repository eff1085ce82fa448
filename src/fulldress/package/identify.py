"""What a file is: by its first bytes, its first line, its place, its suffix and its content, in this order.

Own tables, because libraries call schedules, units and settings "text/plain". The suffix is believed only where the
bytes don't contradict it.
"""

from __future__ import annotations

import re

from fulldress.package.charset import sixteen
from fulldress.patterns import regex

#: (offset, bytes, kind)
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (8, b"AI\x02", "appimage"),
    (0, b"\x7fELF", "elf"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08", "zip"),
    (0, b"\x1f\x8b", "gz"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"BZh", "bz2"),
    (0, b"\x28\xb5\x2f\xfd", "zst"),
    *((0, bytes([first]) + b"\x2a\x4d\x18", "zst") for first in range(0x50, 0x60)),  # a frame to be skipped, as pzstd's
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x5d\x00\x00", "lzma"),
    (0, b"\x1f\x9d", "compress"),
    (257, b"ustar", "tar"),
    (0, b"!<arch>\ndebian-binary", "deb"),
    (0, b"!<arch>\n", "ar"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"MSCF", "cab"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"070701", "cpio"),
    (0, b"070702", "cpio"),
    (0, b"070707", "cpio"),
    (0, b"\xc7\x71", "cpio"),
    (0, b"\x71\xc7", "cpio"),
    (0, b"xar!", "xar"),
    (0, b"conectix", "disk"),
    (0, b"vhdxfile", "disk"),
    (0, b"QFI\xfb", "disk"),
    (0, b"KDMV", "disk"),
    (0, b"MSWIM\0\0\0", "wim"),
    (2, b"-lh", "lha"),
    (2, b"-lz", "lha"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "cfb"),
    (0x8001, b"CD001", "iso"),
    (0x8001, b"BEA01", "udf"),
    (0, b"hsqs", "squashfs"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (0, b"\xfe\xed\xfa\xce", "macho"),
    (0, b"\xfe\xed\xfa\xcf", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"\x89PNG\r\n", "image"),
    (0, b"\xff\xd8\xff", "image"),
    (0, b"GIF8", "image"),
    (0, b"RIFF", "image"),
    (0, b"\x00\x00\x01\x00", "image"),
    (0, b"BM", "image"),
    (0, b"II*\x00", "image"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"\x00\x01\x00\x00\x00", "font"),
    (0, b"OTTO", "font"),
    (0, b"%PDF-", "pdf"),
    (0, b"-----BEGIN PGP", "pgp"),
    (0, b"untrusted comment:", "minisign"),
)
_FIRST: dict[int, tuple[tuple[bytes, str], ...]] = {  #: by first byte, since most files have none of them
    byte: tuple((magic, kind) for offset, magic, kind in _MAGIC if offset == 0 and magic[0] == byte)
    for byte in {magic[0] for offset, magic, _ in _MAGIC if offset == 0}
}
_INSIDE = tuple(  #: (where it begins, where it ends, kinds by what stands there), for what is not at the first byte
    (offset, offset + size, {magic: kind for at, magic, kind in _MAGIC if (at, len(magic)) == (offset, size)})
    for offset, size in dict.fromkeys((offset, len(magic)) for offset, magic, _ in _MAGIC if offset)
)
_WEAK = {
    b"BM",
    b"BZh",
    b"RIFF",
    b"\x5d\x00\x00",
    b"070701",
    b"070702",
    b"070707",
    b"\xc7\x71",
    b"\x71\xc7",
    b"-lh",
    b"-lz",
    b"\x1f\x9d",
}  #: too short to be believed alone

_INTERPRETERS: tuple[tuple[str, str], ...] = (
    (r"(?:ba|da|r?k|z|a|mk|fi|lk|pdk|r|ya)?sh(?:[\d.-][\w.-]*)?|busybox", "shell"),
    (r"python[\d.]*|pypy\d?", "python"),
    (r"perl[\d.]*", "perl"),
    (r"node(?:js)?|deno|bun", "javascript"),
    (r"ruby[\d.]*", "ruby"),
    (r"php[\d.]*", "php"),
    (r"(?:tclsh|wish|jimsh|expect)[\d.]*", "tcl"),
    (r"pwsh|powershell", "powershell"),
)
_SHEBANG = regex(rb"#!\s*(\S+)(?:[ \t]+([^\n]*))?")

#: Where a file lies says what it is, whatever its suffix.
_PLACES: tuple[tuple[re.Pattern[str], str], ...] = (
    (regex(r"(?:^|/)(?:cron\.d/[^/]+|debian/(?:[^/]+\.)?cron\.d)$"), "cron"),
    (regex(r"(?:^|/)(?:etc/crontab|var/spool/cron/(?:crontabs/|tabs/)?[^/]+|crontab)$"), "crontab"),
    (regex(r"(?:^|/)(?:etc/default|etc/sysconfig|etc/conf\.d)/[^/]+$"), "env"),
    (regex(r"(?:^|/)\.?env(?:\.[\w-]+)?$"), "env"),
    (regex(r"(?:^|/)META-INF/MANIFEST\.MF$"), "text"),
    (regex(r"(?:^|/)(?:Dockerfile|Makefile|makefile|Containerfile)$"), "text"),
)
_SUFFIXES: dict[str, str] = {
    "sh bash ksh zsh dash": "shell",
    "ps1 psm1 psd1": "powershell",
    "py pyw pyi": "python",
    "pl pm": "perl",
    "rb": "ruby",
    "php": "php",
    "bat cmd": "batch",
    "js mjs cjs ts jsx tsx": "javascript",
    "sql ddl pgsql psql": "sql",
    "json webmanifest map": "json",
    "yaml yml": "yaml",
    "toml": "toml",
    "ini cfg": "ini",
    "properties": "properties",
    "xml xsd xsl xslt wsdl pom": "xml",
    "env": "env",
    "conf cnf": "conf",
    "crontab": "crontab",
    "cron": "cron",
    "timer": "systemd-timer",
    "service": "systemd-service",
    "socket path mount automount target slice swap": "systemd-unit",
    "desktop": "desktop",
    "md markdown": "markdown",
    "html htm xhtml": "html",
    "css scss less": "css",
    "svg": "image",
    "pem": "pem",
    "minisig": "minisign",
}
_BY_SUFFIX = {suffix: kind for suffixes, kind in _SUFFIXES.items() for suffix in suffixes.split()}
#: Suffixes that are believed of every text, see :func:`_by_suffix`.
_PLAIN_SUFFIXES = {
    suffix: kind
    for suffix, kind in _BY_SUFFIX.items()
    if kind not in ("systemd-unit", "systemd-timer", "systemd-service", "pem", "cron")
}
_DIALECT = regex(r"(?i)\.sql\.(?:postgres|postgresql|pgsql|sqlite3?|mysql|mariadb|oracle|mssql)$")
#: Suffixes of binary files; believed where the bytes are no text and have no magic of their own.
_BINARY_SUFFIXES = {
    "p7s": "cms",
    "p7b": "cms",
    "p7m": "cms",
    "p7c": "cms",
    "p7": "cms",
    "der": "der",
    "cer": "der",
    "crt": "der",
    "sig": "pgp",
    "gpg": "pgp",
    "pgp": "pgp",
    "rsa": "cms",
    "dsa": "cms",
    "ec": "cms",
    "tar": "tar",
    "dmg": "dmg",
    "lzma": "lzma",
}
_CMS_OID = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"  #: 1.2.840.113549.1.7, the arc of PKCS #7
_CONTENT: tuple[tuple[re.Pattern[str], str], ...] = (
    (regex(r"\s*<\?xml\b"), "xml"),
    (regex(r"\s*<!doctype html|\s*<html\b", re.I), "html"),
    (regex(r"\s*<\?php\b"), "php"),
    (regex(r"\s*-----BEGIN PKCS7-----|\s*-----BEGIN CMS-----"), "cms"),
    (regex(r"(?:[^-]{0,4000}+(?<=\n))?+-----BEGIN [A-Z0-9 ]+-----"), "pem"),
    (regex(r"(?m)\A(?:[^\S\n]*+(?:[#;].*+)?\n)*+\[Unit\]\s*$"), "systemd-unit"),
    (
        regex(
            r"(?is)\A(?:\s++|--[^\n]*+\n|/\*(?>.*?\*/))*+(?:create|alter|drop|insert\s+into|update\s+\w+\s+set|delete\s+from|"
            r"begin\s*;|set\s+\w+\s*=|select)\b[^;{}]*;"
        ),
        "sql",
    ),
    (
        regex(
            r"\A(?:[^\S\n]*+(?:[#;].*+)?\n)*+[^\S\n]*+\[[\w .:\"/-]+\][^\S\n]*+\n(?:[^\S\n]*+(?:[#;].*+)?\n)*+[^\S\n]*+[\w.-]++\s*+[=:]"
        ),
        "ini",
    ),
    (
        regex(
            r"\A(?:[^\S\n]*+(?:#.*+)?\n)*+(?:[A-Z]\w*+=.*+\n)*?"
            r"(?:(?:\S++\s++){5}|@(?:daily|hourly|weekly|monthly|reboot|yearly)\s++)(?:root|www-data|nobody)\s+\S"
        ),
        "cron",
    ),
    (regex(r"\A---\s*\n"), "yaml"),
)
_CONTROLS = bytes(byte for byte in range(128) if byte < 9 or 13 < byte < 27 or 27 < byte < 32 or byte == 127)
_RUN_PARTS = regex(r"(?:^|/)cron\.(?:hourly|daily|weekly|monthly)/[^/]+$")
#: Names under which vendors hand over a script, with or without a first line.
_STEP = regex(
    r"(?i)(?:pre|post)?[-_]?(?:inst|install|rm|uninstall|upgrade|update|setup|deploy|migrate|rollback|start|stop)"
)
#: Rows that are a shell's and no sentence.
_SHELLISH = regex(
    r"(?m)^[ \t]*(?:set -[euxo]|if (?:\[|test )|for \w+ in .*; *do|case .* in$|export \w+=|cd [/$\"]|rm -[rf]|mkdir -p |echo [\"'$]|exec \S+/"
    r"|(?:\.|source) [/.$\"]|[A-Za-z_]\w*=[\"'$(/][^\n]*$|(?:sudo )?(?:systemctl|service|apt-get|yum|dnf|chmod|chown|psql|curl|wget|tar) \S+)"
)
_ETC = regex(r"(?:^|/)etc/")
_JSON = regex(r'\s*(?:\{\s*(?:"|\})|\[\s*(?:\{|"|\]|\d))')


def identify(path: str, head: bytes, mode: int | None = None) -> str:
    """The kind of a file (see :class:`~fulldress.package.reader.Member`) from its path and its first bytes.

    ``head`` should be at least 4 KiB where the file has them. Links, folders and devices are not for this function.
    """
    if not head:
        return "empty"
    name = path[path.rfind("/") + 1 :]
    _, dot, suffix = name.rpartition(".")
    suffix = suffix.lower() if dot else ""
    if kind := _magic(head, suffix):
        return kind
    if (kind := _PLAIN_SUFFIXES.get(suffix, "")) and not head.startswith(b"#!") and not _may_be_placed(path):
        start = head[:8192]
        if start.isascii() and b"\0" not in start:
            return kind  # the way of most files, without looking at the text
    if head.startswith(b"#!") and (match := _SHEBANG.match(head)) and interpreter(match[1], match[2] or b"") == "shell":
        from fulldress.package.archives.run import is_carrier

        if is_carrier(head):
            return "run"
    text = decode(head[:8192])
    if text is None:
        return _binary(head, suffix)
    if (match := _SHEBANG.match(head)) and (kind := interpreter(match[1], match[2] or b"")):
        return kind
    if _may_be_placed(path):
        for place, kind in _PLACES:
            if place.search(path):
                return kind
    if kind := _by_suffix(name, suffix, text):
        return kind
    for pattern, kind in _CONTENT:
        if pattern.match(text):
            return kind
    if _JSON.match(text):
        return "json"
    if "cron." in path and _RUN_PARTS.search(path):
        return "shell"  # run-parts starts it; without a first line the shell does
    if suffix == "" and _ETC.search(path):
        return "conf"
    handed = (suffix in ("", "run", "txt") and (mode or 0) & 0o111) or _STEP.fullmatch(name)
    if handed and not text.startswith("#!") and _SHELLISH.search(text):
        return "shell"  # execve(2) refuses it, and every shell then reads it itself
    return "text"


def _may_be_placed(path: str) -> bool:
    """Whether it is worth the time to look for the path among :data:`_PLACES`: parts of which each has one."""
    return (
        "cron" in path or "etc/" in path or "env" in path
        or "MANIFEST.MF" in path or "akefile" in path or "erfile" in path
    )  # fmt: skip


def decode(head: bytes) -> str | None:
    """The text of these bytes, or None where they are no text."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "replace")
    if b"\0" in head:
        codec = sixteen(head)
        return head[: len(head) & ~1].decode(codec, "replace") if codec else None
    try:
        return head.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4:  # a character cut in two
            return head[: error.start].decode()
    start = head[:1024]
    return head.decode("latin-1") if len(start.translate(None, _CONTROLS)) == len(start) else None


def interpreter(program: bytes, arguments: bytes) -> str:
    """The language of a first line: ``/usr/bin/env python3``, ``/bin/sh`` …; empty for an unknown one."""
    words = [program.decode("latin-1"), *arguments.decode("latin-1").split()]
    names = [word.rsplit("/", 1)[-1] for word in words]
    if names[0] == "env":
        names = [word for word in names[1:] if not word.startswith("-") and "=" not in word]
    for pattern, kind in _INTERPRETERS:
        if names and re.fullmatch(pattern, names[0]):
            return kind
    return ""


def _magic(head: bytes, suffix: str) -> str:
    first = head[0]
    if first in _FIRST or first in (0x4D, 0xCA):
        if head.startswith(b"MZ"):
            at = int.from_bytes(head[0x3C:0x40], "little")
            if head[at : at + 4] == b"PE\0\0" or (at >= len(head) and suffix in ("exe", "dll", "sys")):
                return "pe"
        if head.startswith(b"\xca\xfe\xba\xbe"):  # shared by Java and by Mach-O of several processors
            return "macho" if int.from_bytes(head[4:8], "big") < 20 else "java-class"
        for magic, kind in _FIRST.get(first, ()):
            if head.startswith(magic) and (magic not in _WEAK or _certain(magic, head, suffix)):
                return kind
    for offset, end, kinds in _INSIDE:
        if (magic := head[offset:end]) in kinds:
            return kinds[magic]
    return ""


def _certain(magic: bytes, head: bytes, suffix: str) -> bool:
    """The second look that a short magic needs."""
    if magic == b"BZh":
        return head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
    if magic == b"BM":
        return head[6:10] == b"\0\0\0\0"
    if magic == b"RIFF":
        return head[8:12] == b"WEBP"
    if magic == b"\x5d\x00\x00":
        return suffix == "lzma" or head[5:13] == b"\xff" * 8
    if magic == b"AI\x02":
        return head.startswith(b"\x7fELF")
    if magic in (b"\xc7\x71", b"\x71\xc7"):
        from fulldress.package.archives.cpio import is_header

        return is_header(head)
    if magic in (b"-lh", b"-lz"):
        return re.fullmatch(rb"-l(?:h[0-7dx]|z[s45])-", head[2:7]) is not None and head[20:21] in (
            b"\0",
            b"\1",
            b"\2",
            b"\3",
        )
    if magic == b"\x1f\x9d":
        return suffix in ("z", "taz") or 9 <= head[2:3][0] & 0x1F <= 16 if len(head) > 2 else False
    if magic == b"070707":
        return re.match(rb"[0-7]{76}", head) is not None
    return re.match(rb"[0-9A-Fa-f]{110}", head) is not None


def _binary(head: bytes, suffix: str) -> str:
    """Bytes without a magic: DER by its structure, else what the suffix says."""
    if head[:1] == b"\x30" and len(head) > 4 and head[1] in (0x80, 0x81, 0x82, 0x83, 0x84):
        return "cms" if _CMS_OID in head[:32] else "der"
    kind = _BINARY_SUFFIXES.get(suffix, "data")
    if kind == "pgp":
        return kind if head[0] & 0x80 else "data"  # every OpenPGP packet has its first bit set
    if kind == "tar":
        from fulldress.package.archives.tar import is_header

        return kind if is_header(head[:512]) else "data"
    return kind if kind in ("lzma", "dmg") else "data"


def _by_suffix(name: str, suffix: str, text: str) -> str:
    kind = _BY_SUFFIX.get(suffix, "")
    if not kind and _DIALECT.search(name):
        kind = "sql"
    if kind in ("systemd-unit", "systemd-timer", "systemd-service") and not re.search(r"(?m)^\[\w+\]", text):
        return ""
    if kind == "pem" and "-----BEGIN" not in text:
        return ""
    if suffix in ("crt", "cer", "key", "csr") and "-----BEGIN" in text:
        return "pem"
    if suffix in ("asc", "sig", "gpg") and "-----BEGIN PGP" in text:
        return "pgp"
    if suffix in ("p7s", "p7b", "p7m", "p7c") and "-----BEGIN" in text:
        return "cms"
    if kind == "cron" and not re.search(r"(?m)^[^\S\n]*+[\d*@]", text):
        return ""
    return kind


def refine(kind: str, names: set[str]) -> str:
    """The kind of a container by what it holds: wheel, jar, war for a ZIP, npm for a compressed tar, msi."""
    if kind == "zip":
        if any(name.endswith(".dist-info/WHEEL") and name.count("/") == 1 for name in names):
            return "wheel"
        if any(name.startswith("WEB-INF/") for name in names):
            return "war"
        if "META-INF/MANIFEST.MF" in names:
            return "jar"
    if kind == "cfb" and ".installer.cmd" in names:
        return "msi"
    if kind == "gz" and "package/package.json" in names:
        return "npm"
    return kind


def shown(name: str) -> str:
    """A member's name fit for a screen: what would move the cursor or turn the text round is written as an escape."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(
        char if char.isprintable() and not 0xDC80 <= ord(char) <= 0xDCFF else _escape(ord(char)) for char in name
    )


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

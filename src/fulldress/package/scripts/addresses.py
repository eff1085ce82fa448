"""Addresses in texts: URLs, ``user@host:path``, ``host:port``."""

from __future__ import annotations

import re

import msgspec

from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

#: Scheme -> port where none is written.
PORTS = {
    "http": 80, "https": 443, "ftp": 21, "ftps": 990, "sftp": 22, "ssh": 22, "scp": 22, "git": 9418, "rsync": 873,
    "postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "rediss": 6379,
    "mongodb": 27017, "amqp": 5672, "amqps": 5671, "ldap": 389, "ldaps": 636, "smtp": 25, "smtps": 465, "imap": 143,
    "ws": 80, "wss": 443, "mqtt": 1883, "nats": 4222, "kafka": 9092, "smb": 445, "nfs": 2049, "telnet": 23, "svn": 3690,
    "ntp": 123, "hkp": 11371, "hkps": 443, "tcp": None, "udp": None,
}  # fmt: skip
_URL = regex(
    r"""(?xi)(?<![\w.+-])([a-z][a-z0-9+.\-]{1,15})://
    (?:([^\s/@'"<>:]*)(?::[^\s/@'"<>]*)?@)?
    (\[[0-9a-f:.]+\]|(?:\ue000[^\ue000\ue001]*\ue001|[^\s/:'"<>?\#,;|)(`\\\ue000])+)
    (?::(\d{1,5}|[^\s/'"<>?\#\d,;|)(`\\][^\s/'"<>?\#,;|)(`\\]*))?"""
)
_HOST = regex(
    r"(?i)(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]|[0-9a-f:]*:[0-9a-f:.]+"
)
#: Hosts of names, not of servers: schema and namespace identifiers are never called.
_NAMES = regex(r"(?i)(^|\.)(w3\.org|schemas\.[\w.]+|json-schema\.org|purl\.org|xmlsoap\.org|oasis-open\.org)$")


#: Hosts of manuals, which nobody has (RFC 2606, RFC 6761): they stand for one that is to be put in.
_DOCUMENTED = regex(
    r"(?i)(?:^|\.)(?:example\.(?:com|net|org|edu)|invalid)$|^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$"
)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    scheme: str
    host: str  #: may hold holes: :attr:`known` tells
    port: int | None = None
    user: str = ""
    path: str = ""

    @property
    def known(self) -> bool:
        return is_constant(self.host)


def urls(text: str) -> list[Address]:
    """Every URL in ``text``; local ones (``file:``, ``unix:``) and identifiers are left out."""
    found = []
    for match in _URL.finditer(text):
        scheme = match[1].lower()
        scheme = scheme.split("+")[-1] if scheme.split("+")[-1] in PORTS else scheme.split("+")[0]
        host = match[3].rstrip(".")
        if scheme in ("file", "unix", "data", "jar", "about", "cdrom", "urn", "puppet", "debconf", "jdbc"):
            continue
        if is_constant(host) and (not is_host(host) or _NAMES.search(host) or _DOCUMENTED.search(host)):
            continue
        path = re.match(r"[^\s'\"<>|)`]*", text[match.end() :])
        found.append(
            Address(
                scheme=scheme,
                host=host.strip("[]").lower() if is_constant(host) else host,
                port=int(match[4])
                if match[4] and match[4].isdecimal() and len(match[4]) < 6 and int(match[4]) < 65536
                else PORTS.get(scheme),
                user=show(match[2] or ""),
                path=path[0] if path else "",
            )
        )
    return found


def is_host(text: str) -> bool:
    return len(text) <= 253 and bool(_HOST.fullmatch(text)) and not re.fullmatch(r"\d+", text)


def looks_remote(text: str) -> bool:
    """Whether a bare word can only be a host's full name or an address: ``db.prod.example``, ``10.0.0.7``."""
    if re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", text):
        return True
    last = text.rsplit(".", 1)[-1].lower()
    return is_host(text) and bool(re.fullmatch(r"(?:[\w-]+\.)+[a-zA-Z]{2,}", text)) and last not in _SUFFIXES


#: Last parts that make a dotted word a file or a unit, not a host.
_SUFFIXES = frozenset(
    [
        "sh",
        "py",
        "pl",
        "rb",
        "js",
        "php",
        "conf",
        "cfg",
        "cnf",
        "ini",
        "json",
        "yaml",
        "yml",
        "toml",
        "xml",
        "sql",
        "txt",
        "md",
        "log",
        "gz",
        "tgz",
        "zip",
        "tar",
        "xz",
        "bz2",
        "deb",
        "rpm",
        "jar",
        "war",
        "so",
        "service",
        "timer",
        "socket",
        "target",
        "mount",
        "pid",
        "sock",
        "key",
        "pem",
        "crt",
        "cer",
        "csr",
        "p12",
        "jks",
        "cron",
        "d",
        "bak",
        "old",
        "new",
        "orig",
        "tmp",
        "html",
        "css",
        "exe",
        "dll",
        "properties",
        "env",
        "template",
        "list",
        "lock",
        "db",
        "sqlite",
        "service-name",
    ]
)


def remote_path(text: str, scheme: str) -> Address | None:
    """``[user@]host:path`` as scp and rsync read it; None for a local path."""
    match = re.match(r"(?:([^\s@/:]+)@)?(\[[0-9a-f:]+\]|[^\s@/:]+):(?!//)", text)
    if not match or (len(match[2]) == 1 and match[2].isalpha()):
        return None
    return address(scheme, match[2], user=match[1] or "")


def address(scheme: str, host: str, port: str = "", user: str = "") -> Address | None:
    """An address from its parts; None where ``host`` can be none."""
    name = host.strip("[]")
    if is_constant(host) and _DOCUMENTED.search(host):
        return None
    if not host or (is_constant(host) and not is_host(host)):
        return None
    number = int(port) if port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536 else PORTS.get(scheme)
    return Address(scheme=scheme, host=name.lower() if is_constant(name) else name, port=number, user=show(user))

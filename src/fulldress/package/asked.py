"""What a shipped setting makes the product do by itself: whom its values call, and which secret stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import MASK, AnyFact, Endpoint, Secret, Witness, is_secret_name
from fulldress.formats import Key
from fulldress.package.reader import Member
from fulldress.package.scripts.addresses import address, looks_remote, urls
from fulldress.patterns import regex

#: Keys whose addresses are for people or are names, never called.
_FOR_PEOPLE = regex(
    r"(?i)(?:^|[._\-])(?:home_?page|docs?|documentation|help|license|licence|support|bugs?|issues?|wiki|manual|readme|copyright|"
    r"author|contact|xmlns\S*|schema|\$schema|namespace|description|comment|example|placeholder|issuer|audience|origins?|cors\S*|referer)(?:[._\-]|$)"
)
_HOST_KEY = regex(r"(?i)(?:^|[._\-])(?:host|hostname|server|endpoint|broker|proxy|smarthost)$")
_LOCAL = regex(
    r"(?i)^(?:localhost|.*\.localhost|localdomain|127\..*|0\.0\.0\.0|::1?|(?:.*\.)?example\.(?:com|org|net))$"
)
#: Schemes of addresses inside the program, the host's files or memory (``ext`` and ``cfg``: Python's logging.config).
_CALLS_NOBODY = frozenset(["ext", "cfg", "file", "classpath", "resource", "res", "memory", "mem", "sqlite", "sqlite3", "unix", "jar", "data", "env", "secret", "ref", "urn", "tag"])  # fmt: skip
#: Copies for people to look at; the product does not read them.
_SAMPLE = regex(r"(?i)(?:^|/)(?:\S*[._-])?(?:example|sample|dist|template|tmpl)s?(?:$|[./_-])")
#: Words that stand where a secret is to be put; everybody knows them.
_STAND_IN = regex(
    r"(?i).*(?:change[-_ ]?(?:me|it|this)|replace|your|insert|example|sample|dummy|placeholder|todo|fixme|default|password|secret|passwd|"
    r"xxx|\*\*\*|\.\.\.).*|[<{\[$%@!].*|.*\$\{.*|.*\{\{.*|(?:admin|root|test|guest|none|null)\w{0,4}"
)
_NO_VALUE = regex(
    r"(?i)(?:file|path|dir|url|uri|name|prompt|len|length|min|max|ttl|expiry|expires?|timeout|lifetime|cmd|command|type|hash|algorithm|alg|"
    r"policy|id|var|header|field|param|prefix|format|encoder|enabled|required|class|provider|store|size|bits|rotation|interval|method)s?$"
)


def read(member: Member, key: Key, line: str) -> Iterator[AnyFact]:
    """Endpoints and secrets of one key of a configuration file."""
    if _SAMPLE.search(member.inner) or not key.value or len(key.value) > 2000:
        return
    evidence = member.evidence(key.line, key.column, f"{key.name} = {MASK}" if is_secret_name(key.name) else line)
    if not _FOR_PEOPLE.search(key.name):
        found = [item for item in urls(key.value.removeprefix("jdbc:")) if item.known]
        if not found and _HOST_KEY.search(key.name) and looks_remote(key.value) and (bare := address("", key.value)):
            found = [bare]
        for item in dict.fromkeys(found):
            if not _LOCAL.match(item.host) and item.scheme not in _CALLS_NOBODY and not _upstream(member, item.host):
                yield Endpoint(
                    witness=Witness.READ, evidence=evidence, scheme=item.scheme, host=item.host, port=item.port, user=item.user,
                )  # fmt: skip
    if is_secret_name(key.name) and not _NO_VALUE.search(key.name) and _is_secret(key.value):
        kind = "password" if re.search(r"(?i)pass|pwd", key.name) else "secret"
        yield Secret(witness=Witness.READ, evidence=evidence, kind=kind, name=key.name[:60])


def _upstream(member: Member, host: str) -> bool:
    """Whether the name is a group of servers that the same nginx file defines ("Module ngx_http_upstream_module")."""
    return "." not in host and re.search(rf"\bupstream\s+{re.escape(host)}\s*\{{", member.text) is not None


def _is_secret(value: str) -> bool:
    """Whether a value is one that somebody made up or drew: no word, no switch, no place, no stand-in."""
    return (
        len(value) >= 8
        and not re.search(r"\s", value)
        and not _STAND_IN.fullmatch(value)
        and not re.match(r"[~./]|[a-z][a-z0-9+.-]*:", value)
        and bool(re.search(r"\d", value))
        and bool(re.search(r"[A-Za-z]", value))
    )

"""Secrets are masked at the moment they are read; nothing downstream ever holds one."""

from __future__ import annotations

import re

from fulldress.patterns import regex

#: What a masked value reads as, everywhere.
MASK = "********"

#: Names of settings, variables and options whose values are secrets.
SECRET_NAME = regex(
    r"(?i)(?:^|[_.\-/\b]|(?:^|[_.\-])(?:db|pg|my|ms|sql|mysql|ldap|smtp|ftp|admin|root|user|svc|service|sa|app|key|store)(?=pass))"
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|"
    r"client[_-]?secret|credential|auth[_-]?key|encryption[_-]?key|signing[_-]?key)s?(?:$|[_.\-\b\d])"
)

# Lines are hostile and may be megabytes long: each word is looked at once (anchored, possessive), never from each of its letters.
#: nginx's directives that pass a request on: an address, no word to pass with.
_PASSES_ON = regex(r"(?i)(?:^|[.\s])(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass$")
_ASSIGNED = regex(
    r"""(?ix)
    ( (?<![\w.\-]) (?! (?:NO)?PASSWD\s*: )  # a tag of sudoers(5)
      (?= [\w.\-]*? (?: pass(?:word|wd|phrase)? | pwd | secret | token | api[_-]?key | private[_-]?key | access[_-]?key
                 | credential | auth[_-]?key | encryption[_-]?key ) )
      [\w.\-]++ ["']? (?: \s*+ [:=] \s*+ | \s++ (?=['"]) ) )
    ( "[^"\n]*" | '[^'\n]*' | [^\s,;&'"]+ )
    """
)
_OPTION = regex(
    r"(?i)((?<![\w\-])--?(?=[\w-]*?(?:password|passwd|token|secret|api-?key))[\w-]++[= ]++)"
    r"(\"[^\"\n]*\"|'[^'\n]*'|\S+)"
)
_URL_PASSWORD = regex(r"(?i)(?<![a-z0-9+.\-])([a-z][a-z0-9+.\-]*+://[^\s:/@'\"]*+):([^\s/@'\"]+)@")
_BEARER = regex(r"(?i)\b(bearer|basic|token)\s+([A-Za-z0-9+/=._\-]{8,})")
_SHAPED = regex(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_\-]{16,}|xox[abprs]-[A-Za-z0-9\-]{10,}|"
    r"sk_(?:live|test)_[A-Za-z0-9]{10,}|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*)"
)
#: Without one of these in it no ASCII text has a secret by name, an option or a header of one, or one by its shape.
_NAMES = ("pass", "pwd", "secret", "token", "key", "credential")
_HEADERS = ("bearer", "basic", "token")
_SHAPES = ("AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "xox", "sk_", "eyJ")
_VARIABLE = regex(r"""^["']?(?:\$|%\w+%|<|\{\{|\*{3})""")


def is_secret_name(name: str) -> bool:
    """Whether a setting, variable or option of this name holds a secret."""
    return bool(SECRET_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))) and not _PASSES_ON.search(name)


def mask(text: str) -> str:
    """``text`` with everything that looks like a secret replaced; references such as ``$TOKEN`` stay readable."""
    return _masked(text) if _may_tell(text) else text


def _may_tell(text: str) -> bool:
    """A quick look, a tenth of the time. Other letters than ASCII's may stand for these (U+017F is an s to the expressions)."""
    if not text.isascii() or ("://" in text and "@" in text):
        return True
    small = text.lower()
    return (
        any(word in small for word in _NAMES)
        or any(word in small for word in _HEADERS)
        or any(shape in text for shape in _SHAPES)
    )


def _masked(text: str) -> str:

    def hide(match: re.Match[str]) -> str:
        value = match.group(2)
        kept = (
            _VARIABLE.match(value) or value in ("(", "(SELECT") or _PASSES_ON.search(match.group(1).rstrip(" \t:=\"'"))
        )
        return match.group(0) if kept else match.group(1) + MASK

    text = _URL_PASSWORD.sub(lambda m: m.group(0) if _VARIABLE.match(m.group(2)) else f"{m.group(1)}:{MASK}@", text)
    text = _ASSIGNED.sub(hide, text)
    text = _OPTION.sub(hide, text)
    text = _BEARER.sub(lambda m: f"{m.group(1)} {MASK}", text)
    return _SHAPED.sub(MASK, text)


def excerpt(text: str, limit: int = 160) -> str:
    """One masked line of at most ``limit`` characters, fit for an :class:`~fulldress.facts.Evidence`."""
    line = " ".join(mask(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"

"""Keys that the product's own code looks up: environment variables and settings, in Python, JavaScript, Java, Go, Ruby
and PHP sources, with the default that stands beside the name.

By patterns over literals, not by following values: a key that is put together at run time is not found. Code of bundled
components, tests and examples is left out; so are variables that every machine sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.facts import MASK, AnyFact, Lookup, Witness, is_secret_name, mask
from fulldress.package import manifests, telling
from fulldress.package.reader import Member, Package
from fulldress.package.settings import owner
from fulldress.patterns import regex

_NAME = rb"""["'`]([A-Za-z_][\w.:\-]{1,80})["'`]"""
_DEFAULT = rb"""(?:\s*,\s*(?:default\s*=\s*|fallback\s*=\s*)?(["'`][^"'`\n]{0,80}["'`]|-?\d[\d._]*|[Tt]rue|[Ff]alse|None|null))?"""


class _Pattern(msgspec.Struct, frozen=True):
    """``sign`` has to stand in a file for the pattern to be tried. Groups: key, then default where there is one."""

    sign: bytes
    pattern: re.Pattern[bytes]
    place: str = "environment"
    required: bool = False


_PYTHON = (
    _Pattern(b"environ", regex(rb"\bos\.environ\.(?:get|pop|setdefault)\(\s*" + _NAME + _DEFAULT)),
    _Pattern(b"environ[", regex(rb"\bos\.environ\[\s*" + _NAME + rb"\s*\](?!\s*=[^=])"), required=True),
    _Pattern(b"getenv", regex(rb"\bgetenv\(\s*" + _NAME + _DEFAULT)),
    _Pattern(b"decouple", regex(rb"\bconfig\(\s*" + _NAME + _DEFAULT)),
    _Pattern(b"environ.Env", regex(rb"\benv(?:\.\w+)?\(\s*" + _NAME + _DEFAULT)),
)
#: Section and key of a ``configparser``; ``get`` of a mapping has a default in the second place, so that only receivers
#: that are named for a parser count there.
_SECTIONED = regex(
    rb"(?:\b(?:conf|cfg|parser|configparser)\.get|\.get(?:int|boolean|float|list|json|mandatory_value|mandatory_list_value|timedelta|import|enum|section))"
    rb"\(\s*"
    + _NAME
    + rb"\s*,\s*"
    + _NAME
    + rb"(?:\s*,\s*fallback\s*=\s*([\"'][^\"'\n]{0,80}[\"']|-?\d[\d._]*|True|False|None)(?=\s*[,)]))?"
)
_JAVASCRIPT = (
    _Pattern(
        b"process.env",
        regex(
            rb"\bprocess\.env\.([A-Z_][A-Z0-9_]+)\b(?!\s*=[^=])(?:\s*(?:\|\||\?\?)\s*([\"'`][^\"'`\n]{0,80}[\"'`]|-?\d[\d._]*|true|false))?(?!\s*=[^=])"
        ),
    ),
    _Pattern(b"process.env[", regex(rb"\bprocess\.env\[\s*" + _NAME + rb"\s*\]")),
    _Pattern(b"config.get", regex(rb"\b(?:config|nconf|convict)\.get\(\s*" + _NAME), place="settings"),
)
_JAVA = (
    _Pattern(b"getenv", regex(rb"\bgetenv\(\s*" + _NAME)),
    _Pattern(b"@Value", regex(rb"@Value\(\s*\"\$\{([A-Za-z][\w.\-]*)(?::([^}\"\n]{0,80}))?\}"), place="settings"),
    _Pattern(b"getProperty", regex(rb"\bgetProperty\(\s*" + _NAME + _DEFAULT), place="settings"),
)
_GO = (
    _Pattern(b"os.", regex(rb"\bos\.(?:Getenv|LookupEnv)\(\s*" + _NAME)),
    _Pattern(b"viper", regex(rb"\bviper\.(?:Get\w*|SetDefault|BindEnv)\(\s*" + _NAME + _DEFAULT), place="settings"),
)
_RUBY = (
    _Pattern(b"ENV", regex(rb"\bENV\[\s*" + _NAME + rb"\s*\](?!\s*=[^=])")),
    _Pattern(b"ENV.fetch", regex(rb"\bENV\.fetch\(\s*" + _NAME + rb"\s*\)"), required=True),
    _Pattern(b"ENV.fetch", regex(rb"\bENV\.fetch\(\s*" + _NAME + rb"\s*,\s*([\"'][^\"'\n]{0,80}[\"']|\d+)")),
)
_PHP = (_Pattern(b"env", regex(rb"\b(?:getenv|env)\(\s*" + _NAME + _DEFAULT)),)
_BY_KIND = {"python": _PYTHON, "javascript": _JAVASCRIPT, "ruby": _RUBY, "php": _PHP}
_BY_SUFFIX = {"java": _JAVA, "kt": _JAVA, "go": _GO}
_ELSEWHERE = regex(
    r"(?i)(?:^|/)(?:node_modules|site-packages|dist-packages|third[-_]party|vendor|_?vendored|tests?|testdata|testing|fixtures|spec|examples?|example_\w+|docs?|benchmarks?|static|assets|built|dist|public|bundles?)/|"
    r"(?:^|/)(?:conftest|setup|noxfile|test_[^/]*|[^/]*(?:_test|\.test|\.spec|\.min|\.chunk|\.bundle))\.\w+$"
)
#: Variables that a shell, a session, a build or a continuous integration sets; no setting of the product.
_ORDINARY = regex(
    r"(?:PATH|HOME|USER|USERNAME|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TERM|COLUMNS|LINES|PWD|OLDPWD|TMPDIR|TEMP|TMP|TZ|EDITOR|VISUAL|PAGER|DISPLAY|"
    r"HOSTNAME|CI|NO_COLOR|FORCE_COLOR|DEBUG|NODE_ENV|PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|XDG_\w+|SSH_\w+|SUDO_\w+|APPDATA|LOCALAPPDATA|USERPROFILE|"
    r"PROGRAMFILES|SYSTEMROOT|WINDIR|COMSPEC|HTTPS?_PROXY|NO_PROXY|http_proxy|https_proxy|no_proxy|INVOCATION_ID|NOTIFY_SOCKET|LISTEN_\w+|JOURNAL_STREAM|"
    r"GITHUB_\w+|TRAVIS\w*|JENKINS\w*|npm_\w+|JAVA_HOME|GOPATH|GOROOT|java\.\w[\w.]*|os\.\w+|user\.\w+|file\.\w+|line\.separator|path\.separator|sun\.\w[\w.]*)"
)


def read(package: Package) -> Iterator[AnyFact]:
    """One :class:`Lookup` for each key and place, where it is looked up first; required where any such place is."""
    owners = manifests.products(package)
    found: dict[tuple[str, str, str], Lookup] = {}
    for member in package.of("python", "javascript", "ruby", "php", "text"):
        patterns = _BY_KIND.get(member.kind) or _BY_SUFFIX.get(member.name.rsplit(".", 1)[-1].lower(), ())
        if not patterns or not member.kept or _ELSEWHERE.search(member.inner):
            continue
        component = ""
        for key, place, default, required, at in _lookups(package, member, patterns):
            component = component or owner(member, owners, package.name)
            name = (component, key, place)
            known = found.get(name)
            if known is None:
                found[name] = _fact(member, component, key, place, default, required, at)
            elif (required and not known.required) or (default and not known.default):
                found[name] = msgspec.structs.replace(
                    known, required=known.required or required, default=known.default or _shown(key, default)
                )
    yield from found.values()


def _lookups(
    package: Package, member: Member, patterns: tuple[_Pattern, ...]
) -> Iterator[tuple[str, str, str, bool, int]]:
    data = member.data
    for pattern in patterns:
        if not telling.holds(package, member, (pattern.sign,)):
            continue
        for match in pattern.pattern.finditer(data):
            key = match[1].decode()
            default = (match[2] or b"").decode("utf-8", "replace") if match.re.groups > 1 else ""
            if not _ORDINARY.fullmatch(key) and not _comment(data, match.start()):
                required = pattern.required and not _asked_first(data, match[1], match.start())
                yield key, pattern.place, default.strip("\"'`"), required, match.start()
    if member.kind == "python" and telling.holds(package, member, telling.SECTIONS):
        for match in _SECTIONED.finditer(data):
            default = (match[3] or b"").decode("utf-8", "replace").strip("\"'")
            if not _comment(data, match.start()):
                yield f"{match[1].decode()}.{match[2].decode()}", "settings", default, False, match.start()


def _asked_first(data: bytes, key: bytes, at: int) -> bool:
    """Whether the code asks for the key before it takes it, or catches that it is missing."""
    before = data[:at].rsplit(b"\n", 4)[1:]
    behind = data[at:].split(b"\n", 6)[:6]
    caught = any(line.strip() == b"try:" for line in before) and any(
        b"except" in x and b"KeyError" in x for x in behind
    )
    asked = re.search(
        rb"[\"']"
        + re.escape(key)
        + rb"[\"']\s*(?:not\s+)?in\s+(?:os\.)?environ|(?:has_key|key\?|include\?)\(?\s*[\"']"
        + re.escape(key),
        data,
    )
    return bool(asked) or caught


def _comment(data: bytes, at: int) -> bool:
    """Whether the place stands behind a comment sign on its line."""
    begin = data.rfind(b"\n", 0, at) + 1
    return data[begin:at].lstrip()[:2] in (b"//", b"* ", b"/*") or data[begin:at].lstrip()[:1] == b"#"


def _fact(member: Member, component: str, key: str, place: str, default: str, required: bool, at: int) -> Lookup:
    line = member.data.count(b"\n", 0, at) + 1
    return Lookup(
        witness=Witness.READ,
        evidence=member.evidence(line, 0, key),
        component=component,
        key=key,
        place=place,
        default=_shown(key, default),
        required=required,
    )


def _shown(key: str, default: str) -> str:
    return MASK if default and is_secret_name(key) else mask(default)

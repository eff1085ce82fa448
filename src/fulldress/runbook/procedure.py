"""In which order the vendor means its package to be carried out.

The manifest's own list comes first, then what the names of scripts say. Where migrations belong is read from the vendor's
README, and whether a script runs them itself from the script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from fulldress.errors import BadSyntax
from fulldress.facts import Entry
from fulldress.patterns import regex

Extract = Callable[[str], bytes]

_SCRIPTS = ("shell", "python", "perl")
_BACK = regex(
    r"(?:^|[^a-z])(?:roll[-_ ]?back|rollback|revert|undo|uninstall|downgrade|back[-_]?out|restore|down)(?:[^a-z]|$)"
)
_PARTS = regex(r"(?:^|[^a-z])(?:lib|libs|common|functions?|env|environment|utils?|vars|test|tests|include)(?:[^a-z]|$)")
_PRE = regex(r"(?:^|[^a-z])(?:pre|before|prepare|precheck|preflight|check|stop|backup)(?:[^a-z]|$)|^pre[a-z]")
_POST = regex(r"(?:^|[^a-z])(?:post|after|finish|finali[sz]e|cleanup|start|verify)(?:[^a-z]|$)|^post[a-z]")
_MAIN = regex(
    r"(?:^|[^a-z])(?:upgrade|update|install|deploy|apply|setup|migrate|run|main|patch)(?:[^a-z]|$)|^(?:upgrade|install|update)"
)
_NUMBERED = regex(r"^\d{1,4}[-_.]")
#: Folders whose content is installed, not run by the one who upgrades.
_INSTALLED = {
    "bin",
    "sbin",
    "lib",
    "libexec",
    "opt",
    "usr",
    "share",
    "etc",
    "var",
    "src",
    "node_modules",
    "doc",
    "docs",
    "examples",
}
_RUNS_SQL = regex(
    r"(?m)^(?!\s*#).*\b(?:psql|pg_restore|mysql|mariadb|sqlite3|sqlcmd|flyway|liquibase|alembic|dbmate|goose|sqitch|"
    r"db:migrate|manage\.py\s+migrate|knex|prisma)\b"
)
_LISTED = regex(r"(?i)(?:^|\.)(?:install|upgrade|steps|scripts|run|order|procedure|phases)(?:[.\[]|$)")
_WAY_BACK = regex(r"(?i)(?:^|\.)(?:rollback|uninstall|downgrade|undo|revert)(?:[.\[]|$)")
_READMES = regex(r"(?i)(?:^|/)(?:readme|install|upgrade|upgrading|instructions)[^/]*$")


class Procedure(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of package entries, in the order in which they are meant to run."""

    pre: tuple[str, ...] = ()
    main: tuple[str, ...] = ()
    post: tuple[str, ...] = ()
    rollback: str = ""
    source: str = "names of the scripts"  #: which witness the order comes from
    migrations_after: str = ""  #: path of the script after which the SQL files are applied; empty: the last of ``pre``
    runs_migrations: tuple[str, ...] = ()  #: scripts that apply SQL themselves


def read(entries: Iterable[Entry], extract: Extract | None = None) -> Procedure:
    """From entries alone by their names; with ``extract`` (bytes by sha256) also from manifest, README and scripts."""
    there = {entry.path: entry for entry in entries}
    scripts = [
        path for path, entry in sorted(there.items()) if entry.kind in _SCRIPTS and entry.size and _candidate(path)
    ]
    listed, back, source = _manifest(there, extract) if extract else ((), "", "")
    back = back or next((path for path in scripts if _BACK.search(_stem(path))), "")
    if listed:
        pre, main, post = _cut(listed)
    else:
        pre, main, post = _named([p for p in scripts if p != back and not _BACK.search(_stem(p))])
        source = "names of the scripts"
    order = (*pre, *main, *post)
    return Procedure(
        pre=pre,
        main=main,
        post=post,
        rollback=back,
        source=source,
        migrations_after=_placed(order, there, extract) if extract else "",
        runs_migrations=tuple(p for p in order if _RUNS_SQL.search(_text(there[p], extract))) if extract else (),
    )


def _candidate(path: str) -> bool:
    inner = path.rsplit("!/", 1)[-1]
    folders = {part.lower() for part in inner.split("/")[:-1]}
    return not folders & _INSTALLED and not _PARTS.search(_stem(path))


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].lower().rsplit(".", 1)[0]


def _named(scripts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    pre = [p for p in scripts if _PRE.search(_stem(p))]
    post = [p for p in scripts if p not in pre and _POST.search(_stem(p))]
    rest = [p for p in scripts if p not in pre and p not in post]
    main = [p for p in rest if _MAIN.search(_stem(p)) or _NUMBERED.match(_stem(p))]
    return tuple(pre), tuple(main), tuple(post)


def _cut(listed: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The vendor's list keeps its order; only its first and last ones may be "before" and "after"."""
    start, end = 0, len(listed)
    while start < end and _PRE.search(_stem(listed[start])):
        start += 1
    while end > start and _POST.search(_stem(listed[end - 1])):
        end -= 1
    return tuple(listed[:start]), tuple(listed[start:end]), tuple(listed[end:])


def _manifest(there: dict[str, Entry], extract: Extract) -> tuple[tuple[str, ...], str, str]:
    """Lists of scripts in a manifest near the top: every value that is the path of an entry counts."""
    from fulldress import formats

    for path, entry in sorted(there.items(), key=lambda item: item[0].count("/")):
        name = path.rsplit("/", 1)[-1]
        if entry.kind not in ("json", "yaml", "toml") or not re.search(r"(?i)manifest|package|release|upgrade", name):
            continue
        try:
            keys = formats.parse(name, _text(entry, extract))
        except BadSyntax:  # a manifest that cannot be read is told by the package room
            continue
        top = path[: len(path) - len(name)]
        listed = [p for k in keys if _LISTED.search(k.name) and (p := _entry(k.value, top, there))]
        back = next((p for k in keys if _WAY_BACK.search(k.name) and (p := _entry(k.value, top, there))), "")
        if listed or back:
            return tuple(dict.fromkeys(p for p in listed if p != back)), back, path
    return (), "", ""


def _entry(value: str, top: str, there: dict[str, Entry]) -> str:
    """The entry that a value names, beside its manifest; empty when it names none that can be run."""
    path = top + value.removeprefix("./")
    return path if path in there and there[path].kind in _SCRIPTS else ""


def _placed(order: Sequence[str], there: dict[str, Entry], extract: Extract) -> str:
    """The last script that the README names before the SQL files; empty when it does not say."""
    folders = {p.rsplit("/", 1)[0].rsplit("!/", 1)[-1] for p, e in there.items() if e.kind == "sql" and "/" in p}
    for path, entry in there.items():
        if entry.kind not in ("markdown", "text") or not _READMES.search(path):
            continue
        text = _text(entry, extract)
        for folder in sorted(folders, key=len):
            at = re.search(rf"(?<![\w/]){re.escape(folder.rsplit('/', 1)[-1])}/", text)
            before = [p for p in order if at and 0 <= text.find(p.rsplit("/", 1)[-1]) < at.start()]
            if before:
                return before[-1]
    return ""


def _text(entry: Entry, extract: Extract | None) -> str:
    return extract(entry.sha256).decode("utf-8", "replace") if extract and entry.sha256 else ""

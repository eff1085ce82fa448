"""SQL migrations in a package: their order, their two directions, what they lose, and what will take long.

Nothing is executed. Styles: golang-migrate and sqlx (``x.up.sql``), diesel (``x/up.sql``), Flyway (``V1__x.sql``,
``U1__x.sql``), goose, dbmate and sql-migrate (both directions in one file), dbconfig-common, numbered folders.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from fulldress.facts import AnyFact, Evidence, Migration, Reason, Unread, Witness, excerpt
from fulldress.package.migrations import dialect, foreign, naming, roles
from fulldress.package.migrations.effects import Columns, Effects, study
from fulldress.package.migrations.sql import Statement, statements
from fulldress.package.reader import Member, Package

_DBCONFIG = re.compile(r"dbconfig-common/data/[^/]+/(?:install|upgrade(?:-dbadmin)?)/[^/]+/[^/]+$")
_PAYLOAD = re.compile(r"(?:^|/)data\.tar(?:\.\w+)?!/(?:\./)?usr/")
_NO_TRANSACTION = re.compile(r"(?i)no[ _]?transaction|transaction\s*:\s*false|notransaction")
_SET = re.compile(r"^(?:SET |SELECT PG_CATALOG \. SET_CONFIG)")


def read(package: Package) -> Iterator[AnyFact]:
    """Migration facts in the order in which they would run, credentials they create, and what was not understood."""
    members = {member.path: member for member in package.members.values() if _is_sql(member)}
    members |= _linked(package)
    yield from foreign.read(package.members[path] for path in sorted(package.members))
    for path in [path for path, member in members.items() if not member.kept]:
        member = members.pop(path)
        yield _unread(member, 0, path, Reason.BUDGET, f"{member.size} bytes are too many to keep", needed=True)
    chosen = {path: member for path, member in members.items() if not naming.is_baseline(path)}
    named = naming.pairs(chosen)
    others = naming.counterparts(named)
    parsed = {path: list(statements(member.text)) for path, member in chosen.items()}
    words = {path: dialect.by_words(one.bare for one in every) for path, every in parsed.items()}
    around = _around(words)
    columns: dict[str, Columns] = defaultdict(dict)
    for path in sorted(chosen, key=naming.order):
        spoken = dialect.guess(path, words[path], [around[folder] for folder in _folders(path)])
        yield from _file(chosen[path], parsed[path], named[path], others.get(path, ""), spoken, columns[spoken])


def _linked(package: Package) -> dict[str, Member]:
    """dbconfig-common's files are often links to where the product keeps them; they count under their own names."""
    found: dict[str, Member] = {}
    for path, member in package.members.items():
        if member.kind == "link" and _DBCONFIG.search(path):
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(member.inner), member.link)).lstrip("/")
            target = package.members.get(member.prefix + inner)
            if target is not None and target.kept and target.kind in ("sql", "text"):
                found[path] = msgspec.structs.replace(target, path=path)
    return found


def _is_sql(member: Member) -> bool:
    return (
        member.kind == "sql"
        or (member.kind in ("text", "empty", "data") and bool(_DBCONFIG.search(member.path)))
        or (member.kind in ("text", "empty") and bool(re.search(r"\.sql(?:\.\w+)?$", member.path, re.I)))
    )


def _folders(path: str) -> list[str]:
    """The folders that hold ``path``, nearest first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:end]) for end in range(len(parts), -1, -1)]


def _around(words: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Telling words of all files below each folder; those whose path already tells have no say on others."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for path, counted in words.items():
        if not dialect.by_path(path):
            for folder in _folders(path):
                votes[folder] += counted
    return votes


def _file(
    member: Member, every: list[Statement], named: naming.Named, other: str, spoken: str, columns: Columns
) -> Iterator[AnyFact]:
    sections = list(naming.SECTION.finditer(member.text))
    if sections:
        yield from _sections(member, sections, spoken, columns)
        return
    effects = study(every, spoken, columns, ordered=naming.is_ordered(member.path))
    if not (naming.in_migrations(member.path) or other or (effects.changes_schema and not _of_application(member))):
        return
    yield _fact(member, named.direction, other, spoken, effects, _in_one_transaction(effects.bare), 1)
    yield from _rest(member, every, effects, 1)


def _of_application(member: Member) -> bool:
    """Whether a file belongs to an installed application, which has its queries, functions and whole schemas as SQL, too."""
    return member.container in ("wheel", "npm") or bool(_PAYLOAD.search(member.path))


def _sections(member: Member, sections: list[re.Match[str]], spoken: str, columns: Columns) -> Iterator[AnyFact]:
    """A file with both directions. The tool wraps each in a transaction unless the file says otherwise."""
    text = member.text
    parts: dict[str, list[tuple[str, int]]] = {"up": [], "down": []}
    for match, following in zip(sections, [*sections[1:], None], strict=True):
        direction = next(value for value in match.groups()[:4] if value).lower()
        body = text[match.end() : following.start() if following else len(text)]
        parts[direction].append((body, text.count("\n", 0, match.end())))
    wrapped = not _NO_TRANSACTION.search("".join(m["rest"] for m in sections) + text[: sections[0].start()])
    for direction, bodies in parts.items():
        if not bodies:
            continue
        every = [
            statement._replace(line=statement.line + offset)
            for body, offset in bodies
            for statement in statements(body)
        ]
        effects = study(every, spoken, columns)
        opposite = "down" if direction == "up" else "up"
        other = member.path if parts[opposite] else ""
        yield _fact(member, direction, other, spoken, effects, wrapped, bodies[0][1] + 1)
        yield from _rest(member, every, effects, bodies[0][1] + 1)


def _fact(
    member: Member, direction: str, other: str, spoken: str, effects: Effects, transaction: bool | None, line: int
) -> Migration:
    first = effects.lines[0] if effects.lines else (line, "")
    return Migration(
        witness=Witness.READ,
        evidence=member.evidence(first[0], text=first[1]),
        name=_name(member.inner),
        path=member.path,
        direction="down" if direction == "down" else "up",  # the literal: encoders leave out what *is* the default
        dialect=spoken,
        statements=effects.count,
        repeatable=bool(re.match(r"R__", member.name)),
        counterpart=other,
        empty=effects.count == 0,
        destructive=tuple(dict.fromkeys(effects.destructive)),
        heavy=tuple(dict.fromkeys(effects.heavy)),
        transaction=transaction,
        takes_lock=effects.takes_lock,
        sets_lock_timeout=effects.sets_lock_timeout,
    )


def _rest(member: Member, every: list[Statement], effects: Effects, line: int) -> Iterator[AnyFact]:
    yield from roles.read(member, every)
    if effects.dynamic:
        where = ", ".join(str(number) for number in effects.dynamic[:5])
        yield _unread(
            member,
            effects.dynamic[0],
            f"SQL that {member.path} builds at run time",
            Reason.GRAMMAR,
            f"EXECUTE in line {where}",
        )
    if effects.cut:
        detail = f"a statement of more than 10,000 words and signs in line {effects.cut[0]}; judged by its beginning"
        yield _unread(member, effects.cut[0], f"the end of a statement in {member.path}", Reason.BUDGET, detail)
    commands = [statement for statement in every if statement.meta]
    included = [statement for statement in commands if re.match(r"\\i(?:r|nclude\w*)?\s", statement.text)]
    if included:
        names = ", ".join(excerpt(statement.text, 60) for statement in included[:5])
        yield _unread(member, included[0].line, f"files that {member.path} includes", Reason.NO_DATA, names)


def _name(inner: str) -> str:
    """``0004_total_bigint``: the file's name without its suffixes, or its folder's where the file is just up.sql."""
    folder, _, name = inner.rpartition("/")
    stem = re.sub(r"(?:\.(?:up|down))?\.(?:sql|pgsql|psql|ddl)(?:\.\w+)?$", "", name, flags=re.I)
    if stem.lower() in ("up", "down", "migration") and folder:
        return folder.rpartition("/")[2]
    return stem


def _in_one_transaction(bare: list[str]) -> bool | None:
    telling = [text for text in bare if not _SET.match(text)]
    if not telling:
        return None
    return telling[0].startswith(("BEGIN", "START TRANSACTION")) and telling[-1].startswith(("COMMIT", "END"))


def _unread(member: Member, line: int, what: str, reason: Reason, detail: str, *, needed: bool = False) -> Unread:
    evidence = Evidence(source=member.source, path=member.path, line=line)
    return Unread(witness=Witness.READ, evidence=evidence, what=what, reason=reason, detail=detail, needed=needed)

"""Migrations in a package: their order, their two directions, what they lose, and what will take long.

Nothing is executed. SQL files of golang-migrate, sqlx, diesel, Flyway, goose, dbmate, sql-migrate, Liquibase, Prisma,
dbconfig-common and plain numbered folders; programs (Alembic, Django, Rails, Knex …) are translated call by call into the
statements they stand for, and whatever cannot be translated is said.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from fulldress.facts import AnyFact, Evidence, Migration, Reason, Unread, Witness, excerpt
from fulldress.package.migrations import dialect, foreign, naming, programs, roles, sequence, sqlfiles, squawk, undo
from fulldress.package.migrations.effects import Effects, Known, study
from fulldress.package.migrations.script import PASSED_OVER, Script
from fulldress.package.migrations.sql import Statement
from fulldress.package.names import claimed
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_DBCONFIG = regex(r"dbconfig-common/data/[^/]+/(?:install|upgrade(?:-dbadmin)?)/[^/]+/[^/]+$")
_ROOT = regex(r"(?i)((?:.*?/)?(?:[^/]*migrat[^/]*|alembic|changelogs?))/")
_SET = regex(r"^(?:SET |SELECT PG_CATALOG \. SET_CONFIG)")


def read(package: Package) -> Iterator[AnyFact]:
    """Migration facts in the order in which they would run, credentials they create, and what was not understood."""
    members = {member.path: member for member in package.members.values() if _is_sql(member)}
    members |= _linked(package)
    translated = list(programs.read(package))
    yield from foreign.read(
        (package.members[path] for path in sorted(package.members)), {script.member.path for script in translated}
    )
    translated = [script for script in translated if script.direction != PASSED_OVER]
    yield from _untold(translated)
    for path in [path for path, member in members.items() if not member.kept]:
        member = members.pop(path)
        if member.kind == "sql":
            continue  # whoever walked the package said so already
        yield _unread(member, 0, path, Reason.BUDGET, f"{member.size} bytes are too many to keep", needed=True)
    chosen = {path: member for path, member in members.items() if not naming.is_baseline(path)}
    named = naming.pairs(chosen)
    others = naming.counterparts(named)
    tools = sqlfiles.tools(package)
    scripts: list[Script] = []
    for path in sorted(chosen, key=naming.order):
        scripts += sqlfiles.read(chosen[path], named[path], others.get(path, ""), tools)
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for script in scripts:
        words[script.member.path] += dialect.by_words(one.bare for one in script.statements)
    around = _around(words)
    spoken = {
        path: dialect.guess(path, counted, [around[folder] for folder in _folders(path)])
        for path, counted in words.items()
    }
    spoken |= {script.member.path: dialect.by_path(script.member.path) for script in translated}
    every = [*scripts, *sequence.ordered(translated)]
    sequence.disorder(every)
    product = claimed(package.name)
    mine = sequence.current(every, product[1] if product else "")
    effects = _study(every, spoken)
    yield from _advice(every, effects, spoken)
    yield from _facts(every, effects, spoken, mine)
    yield from _unparsed(every, effects)


def _study(every: list[Script], spoken: dict[str, str]) -> dict[int, Effects]:
    """Effects by place in ``every``. Ways there are studied in order, each one's way back right after it, with what is
    known then; a way back teaches nothing about what comes next."""
    routines: dict[str, str] = {}
    known: dict[str, Known] = defaultdict(lambda: Known(routines=routines))
    backs: dict[str, list[int]] = defaultdict(list)
    for place, script in enumerate(every):
        if script.direction == "down":
            backs[script.other or script.member.path].append(place)
    found: dict[int, Effects] = {}

    def one(place: int, knowing: Known) -> None:
        script = every[place]
        says = spoken.get(script.member.path, "")
        ordered = bool(script.language or script.parents) or naming.is_ordered(script.member.path)
        found[place] = study(script.statements, says, knowing, ordered=ordered, wrapped=script.wrapped)

    for place, script in enumerate(every):
        if script.direction == "up":
            says = spoken.get(script.member.path, "")
            one(place, known[says])
            for back in backs.pop(script.member.path, []):
                one(back, known[says].copy())
    for places in backs.values():
        for place in places:
            one(place, Known())
    return found


def _advice(every: list[Script], effects: dict[int, Effects], spoken: dict[str, str]) -> Iterator[Unread]:
    """Squawk's, on lines of which our own rules say nothing. Only plain SQL: a tool's own file wraps itself."""
    texts = {
        place: script.member.text
        for place, script in enumerate(every)
        if not script.language and script.direction == "up" and spoken.get(script.member.path) == "postgresql"
        if not script.tool and effects[place].count and script.other != script.member.path
    }
    try:
        advice = squawk.advise(texts)
    except squawk.Unavailable as error:
        member = every[next(iter(texts))].member
        yield _unread(member, 0, "what squawk would say of the migrations", Reason.CANNOT, str(error))
        return
    for place, found in advice.items():
        said = {effect.line for effect in effects[place].every}
        effects[place].every += [effect for effect in found if effect.line not in said]


def _facts(
    every: list[Script], effects: dict[int, Effects], spoken: dict[str, str], mine: dict[str, bool]
) -> Iterator[AnyFact]:
    ups = {script.member.path: place for place, script in enumerate(every) if script.direction == "up"}
    for place, script in enumerate(every):
        found = effects[place]
        if not (script.standalone or (found.changes_schema and not sqlfiles.of_application(script.member))):
            continue
        unrestored: tuple[str, ...] = ()
        forth = ups.get(script.other) if script.direction == "down" else None
        if forth is not None and not script.unread and found.count:
            unrestored = undo.unrestored(effects[forth].bare, found.bare)
        yield _fact(script, spoken.get(script.member.path, ""), found, unrestored, mine.get(script.member.path))
        yield from _beyond(script.member, found)
        if not script.language:
            yield from _rest(script.member, script.statements, found)


def _untold(scripts: list[Script]) -> Iterator[Unread]:
    """One fact a folder and language for the calls that nothing is known of."""
    groups: dict[tuple[str, str], list[Script]] = defaultdict(list)
    for script in scripts:
        if script.unread:
            groups[script.member.prefix, script.tool or script.language].append(script)
    for (_, tool), group in sorted(groups.items()):
        folder = posixpath.commonpath([_root(script.member) for script in group]) or "the package"
        first = {script.member.path: script for script in reversed(group)}
        places = [f"{s.member.name} line {s.unread[0][0]}: {s.unread[0][1]}" for _, s in sorted(first.items())]
        paths = {script.member.path for script in group}
        yield Unread(
            witness=Witness.READ,
            evidence=group[0].member.evidence(group[0].unread[0][0]),
            what=f"what code of its own does in {len(paths)} migration{'s' * (len(paths) > 1)} of {tool} below {folder}",
            reason=Reason.GRAMMAR,
            detail=excerpt(", ".join(places[:3]), 200) + (f" and {len(places) - 3} more" if len(places) > 3 else ""),
            needed=True,
            shows=True,
        )


def _root(member: Member) -> str:
    """The folder of all migrations, above those of releases and years."""
    match = _ROOT.match(member.path)
    return match[1] if match else member.path.rpartition("/")[0]


def _unparsed(every: list[Script], effects: dict[int, Effects]) -> Iterator[Unread]:
    """One fact a package: the words of these statements were judged, not their tree."""
    found = [(script.member, line) for place, script in enumerate(every) for line in effects[place].unparsed]
    if found:
        member, line = found[0]
        number = f"{len(found)} statement{'s' * (len(found) > 1)} that PostgreSQL's grammar does not take"
        shown = ", ".join(f"{m.name}:{at}" for m, at in found[:3])
        yield _unread(member, line, number, Reason.GRAMMAR, f"{shown}; judged by their words only")


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


def _fact(
    script: Script, spoken: str, effects: Effects, unrestored: tuple[str, ...], current: bool | None
) -> Migration:
    member = script.member
    first = effects.lines[0] if effects.lines else (script.line, "")
    transaction = script.wrapped
    if not script.language and transaction is None:
        transaction = _in_one_transaction(effects.bare)
    empty = effects.count == 0 and not script.unread and not script.acts
    return Migration(
        witness=Witness.READ,
        evidence=member.evidence(first[0], text=first[1]),
        name=script.name,
        path=member.path,
        direction="down"
        if script.direction == "down"
        else "up",  # the literal: encoders leave out what *is* the default
        dialect=spoken,
        statements=effects.count,
        repeatable=naming.runs_each_time(member.name),
        counterpart=script.other,
        empty=empty,
        destructive=tuple(dict.fromkeys(effects.destructive)),
        heavy=tuple(dict.fromkeys(effects.heavy)),
        transaction=transaction,
        takes_lock=effects.takes_lock or script.locks,
        sets_lock_timeout=effects.sets_lock_timeout,
        tool=script.tool,
        language=script.language,
        version=script.version,
        effects=tuple(effects.every),
        unrestored=unrestored,
        preflight=tuple(dict.fromkeys(effects.preflight)) if script.direction == "up" else (),
        disorder=script.disorder,
        current=current,
    )


def _beyond(member: Member, effects: Effects) -> Iterator[Unread]:
    """What a script runs that its text does not show."""
    if effects.dynamic:
        lines = list(dict.fromkeys(effects.dynamic))
        where = ", ".join(map(str, lines[:5])) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")
        what = f"SQL that {member.path} builds at run time"
        yield _unread(member, lines[0], what, Reason.GRAMMAR, f"EXECUTE in line {where}", needed=True)
    for line, language in dict.fromkeys(effects.foreign):
        what = f"what {member.path} does in {language}"
        yield _unread(member, line, what, Reason.GRAMMAR, f"a body that is not SQL, in line {line}", needed=True)


def _rest(member: Member, every: list[Statement], effects: Effects) -> Iterator[AnyFact]:
    yield from roles.read(member, every)
    if effects.cut:
        detail = f"a statement of more than 10,000 words and signs in line {effects.cut[0]}; judged by its beginning"
        yield _unread(member, effects.cut[0], f"the end of a statement in {member.path}", Reason.BUDGET, detail)
    commands = [statement for statement in every if statement.meta]
    included = [statement for statement in commands if re.match(r"\\(?:i|ir|include\w*|\.)\s", statement.text)]
    included += [statement for statement in every if re.match(r"(?i)source\s+[\w./~-]+[ \t;]*(?:\n|$)", statement.text)]
    if included:
        names = ", ".join(excerpt(statement.text, 60) for statement in included[:5])
        unseen = any(not re.search(r"(?i)\.sql['\"]?[\s;]*$", statement.text.split("\n")[0]) for statement in included)
        yield _unread(
            member, included[0].line, f"files that {member.path} includes", Reason.NO_DATA, names, needed=unseen
        )


def _in_one_transaction(bare: list[str]) -> bool | None:
    telling = [text for text in bare if not _SET.match(text)]
    if not telling:
        return None
    return telling[0].startswith(("BEGIN", "START TRANSACTION")) and telling[-1].startswith(("COMMIT", "END"))


def _unread(member: Member, line: int, what: str, reason: Reason, detail: str, *, needed: bool = False) -> Unread:
    evidence = Evidence(source=member.source, path=member.path, line=line)
    return Unread(witness=Witness.READ, evidence=evidence, what=what, reason=reason, detail=detail, needed=needed)

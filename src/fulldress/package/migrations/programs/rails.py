"""Rails: ``change``, ``up`` and ``down`` by line rules; a call that goes on over several lines is read as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fulldress.package.migrations.script import REPEATED, Script, embedded, listed, quoted, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member
from fulldress.patterns import regex

_METHOD = regex(r"^(?P<indent>\s*)def (?:self\.)?(?P<name>\w+)")
_CALL = regex(r"^\s*(?P<name>[a-z_]+[!?]?)[ (]\s*(?P<arguments>.*)$")
_WORD = regex(r":\"?([A-Za-z_]\w*)\"?(?!:)|[\"']([^\"'#]+)[\"']")
_HEREDOC = regex(r"<<[~-]?[\"'`]?(?P<tag>[A-Za-z_]\w*)[\"'`]?")
_TYPES = {"string": "varchar", "integer": "integer", "bigint": "bigint", "text": "text", "boolean": "boolean",
          "datetime": "timestamp", "timestamp": "timestamp", "timestamptz": "timestamptz", "date": "date", "float": "double precision",
          "decimal": "numeric", "json": "json", "jsonb": "jsonb", "uuid": "uuid", "binary": "bytea", "references": "bigint",
          "belongs_to": "bigint", "inet": "inet", "citext": "citext"}  # fmt: skip
_QUIET = frozenset(["disable_ddl_transaction!", "say", "say_with_time", "reversible", "dir", "revert", "change_column_comment", "change_table_comment", "safety_assured", "enable_extension", "create_enum", "with_lock_retries", "puts"])  # fmt: skip
_OWN_CODE = regex(
    r"\.(?:find_each|find_in_batches|in_batches|update_all|delete_all|destroy_all|each_batch|save!?|update!|create!|insert_all)\b"
)

#: A line that does something: no comment, no end of a block, no message.
_ACT = regex(r"\s*(?!#|end\b|nil\s*$|true\s*$|(?:say|puts|p|print|logger)\b|$)\S")


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a class. ``change`` is undone by Rails where every call in it can be undone."""
    text = member.text
    methods = dict(_methods(text))
    alone = bool(re.search(r"(?m)^\s*disable_ddl_transaction!", text))
    number = (re.match(r"\d+", member.name) or [""])[0]
    common: dict[str, Any] = {"member": member, "name": member.name.removesuffix(".rb"), "wrapped": not alone, "locks": True,
                              "tool": "rails", "language": "ruby", "version": number}  # fmt: skip
    if "change" in methods:
        forth, back, unread = _body(*methods["change"])
        other = member.path if back is not None else ""
        yield Script(direction="up", statements=forth, other=other, unread=unread, line=methods["change"][0], **common)
        if back is not None:
            yield Script(
                direction="down", statements=back, other=other, unread=unread, line=methods["change"][0], **common
            )
    elif "up" in methods:
        never = "down" not in methods or "IrreversibleMigration" in "\n".join(methods["down"][1])
        for direction in ("up",) if never else ("up", "down"):
            forth, _, unread = _body(*methods[direction])
            acts = any(_ACT.match(line) for line in methods[direction][1])
            yield Script(
                direction=direction,
                statements=forth,
                other="" if never else member.path,
                unread=unread,
                acts=acts,
                line=methods[direction][0],
                **common,
            )


def _methods(text: str) -> Iterator[tuple[str, tuple[int, list[str]]]]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = _METHOD.match(line)
        if match and match["name"] in ("change", "up", "down"):
            end = next(
                (i for i in range(number + 1, len(lines)) if re.match(rf"{match['indent']}end\b", lines[i])), len(lines)
            )
            yield match["name"], (number + 2, lines[number + 1 : end])


def _logical(first: int, lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Line number, the call with its continuation lines, and the text of its here-document."""
    at = 0
    while at < len(lines):
        number, line = first + at, lines[at]
        at += 1
        if line.lstrip().startswith("#"):
            continue
        while (
            at < len(lines)
            and (line.rstrip().endswith((",", "\\")) or line.count("(") > line.count(")"))
            and not _HEREDOC.search(line)
            and at - (number - first) < 40
        ):
            line = f"{line.rstrip().rstrip(chr(92))} {lines[at].strip()}"
            at += 1
        inside: list[str] = []
        if match := _HEREDOC.search(line):
            while at < len(lines) and lines[at].strip() != match["tag"]:
                inside.append(lines[at])
                at += 1
            at += 1
        yield number, line, "\n".join(inside)


def _body(first: int, lines: list[str]) -> tuple[list[Statement], list[Statement] | None, list[tuple[int, str]]]:
    """Statements, their reverse (None: it has none), and lines with code of its own."""
    forth: list[Statement] = []
    back: list[list[Statement]] = []
    possible = True
    unread: list[tuple[int, str]] = []
    table = ""
    creating = ""
    for number, line, inside in _logical(first, lines):
        if (table or creating) and re.match(r"\s*end\b", line):
            if creating:
                forth += translated(creating + ")", number, line)
            table = creating = ""
            continue
        if creating:
            if (column := re.match(r"\s*\w+\.(\w+)\s*\(?\s*[:\"'](\w+)", line)) is not None:
                creating += f"{', ' if not creating.endswith('(') else ''}{quoted(column[2])} {_TYPES.get(column[1], 'unknown_kind')}"
            continue
        if _OWN_CODE.search(line):
            unread.append((number, line.strip()[:50]))
        match = _CALL.match(re.sub(r"^\s*(?:safety_assured|with_lock_retries|dir\.(?:up|down))\s*(?:do|\{)", "", line))
        if match is None:
            continue
        name, words = match["name"], [a or b for a, b in _WORD.findall(match["arguments"])]
        if name == "execute":
            possible = False
            sql = inside or next(iter(re.findall(r"^[(\s]*[\"'](.*)[\"']\)?\s*$", match["arguments"])), "")
            if sql:
                forth += embedded(re.sub(r"#\{[^}]*\}", "x", sql), number + (1 if inside else 0))
            else:
                unread.append((number, "execute of something built at run time"))
        elif name == "create_table" and words:
            shown = f"CREATE TABLE {quoted(words[0])} ("
            if re.search(r"\bdo\s*(?:\|\w+\|)?\s*$", line):
                creating = shown
                forth += translated(shown + ")", number, line)
                creating = ""
                table = "created"
            else:
                forth += translated(shown + ")", number, line)
            back.insert(0, translated(f"DROP TABLE {quoted(words[0])}", number, line))
        elif name in _CALLS and words:
            there, again = _CALLS[name](words, match["arguments"])
            forth += [s for text in there for s in translated(text, number, line)]
            possible = possible and again is not None
            back.insert(0, [s for text in again or [] for s in translated(text, number, line)])
    return forth, [s for group in back for s in group] if possible else None, unread


def _option(arguments: str, name: str) -> str:
    match = re.search(rf"\b{name}:\s*:?[\"']?([\w.]+)|:{name}\s*=>\s*:?[\"']?([\w.]+)", arguments)
    return (match[1] or match[2]) if match else ""


def _columns(arguments: str, words: list[str]) -> list[str]:
    match = re.match(r"[^,]+,\s*(?:%[iwIW])?\[(?P<list>[^\]]*)\]", arguments)
    if match:
        return [a or b for a, b in _WORD.findall(match["list"])] or match["list"].split()
    return words[1:2]


def _add_column(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    table, column = quoted(words[0]), quoted(words[1] if len(words) > 1 else "unnamed")
    kind = _TYPES.get(words[2] if len(words) > 2 else "", "unknown_kind")
    default = _option(arguments, "default")
    volatile = "gen_random_uuid()" if "gen_random_uuid" in arguments else "0"
    more = f" DEFAULT {volatile}" if default or "default:" in arguments else ""
    more += " NOT NULL" if _option(arguments, "null") == "false" else ""
    return [f"ALTER TABLE {table} ADD COLUMN {column} {kind}{more}"], [f"ALTER TABLE {table} DROP COLUMN {column}"]


def _remove_column(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    table, columns = quoted(words[0]), words[1:2]
    again = (
        [f"ALTER TABLE {table} ADD COLUMN {quoted(c)} {_TYPES.get(words[2], 'unknown_kind')}" for c in columns]
        if len(words) > 2
        else None
    )
    return [f"ALTER TABLE {table} DROP COLUMN {quoted(c)}" for c in columns], again


def _remove_columns(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    names = [w for w in words[1:] if w != _option(arguments, "type")]
    back = (
        [f"ALTER TABLE {quoted(words[0])} ADD COLUMN {quoted(c)} unknown_kind" for c in names]
        if "type:" in arguments
        else None
    )
    return [f"ALTER TABLE {quoted(words[0])} DROP COLUMN {quoted(c)}" for c in names], back


def _index(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    unique = "UNIQUE " if _option(arguments, "unique") == "true" else ""
    concurrently = "CONCURRENTLY " if _option(arguments, "algorithm") == "concurrently" else ""
    columns = _columns(arguments, words) or ["unnamed"]
    named = quoted(_option(arguments, "name") or "_".join(["index", words[0], "on", *columns]))
    where = " WHERE true" if "where:" in arguments else ""
    return [f"CREATE {unique}INDEX {concurrently}{named} ON {quoted(words[0])} ({listed(columns)}){where}"], [
        f"DROP INDEX {concurrently}{named}"
    ]


def _remove_index(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    concurrently = "CONCURRENTLY " if _option(arguments, "algorithm") == "concurrently" else ""
    return [f"DROP INDEX {concurrently}{quoted(_option(arguments, 'name') or 'index_' + words[0])}"], []


def _change_column(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    kind = _TYPES.get(words[2] if len(words) > 2 else "", "")
    limit = _option(arguments, "limit")
    sized = f"({limit})" if limit.isdigit() and kind == "varchar" else ""
    return [
        f"ALTER TABLE {quoted(words[0])} ALTER COLUMN {quoted(words[1])} TYPE {kind or 'unknown_kind'}{sized} {REPEATED}"
    ], None


def _change_null(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    if len(words) < 2:
        return [], []
    table, column = quoted(words[0]), quoted(words[1])
    forward, backward = ("SET", "DROP") if re.search(r",\s*false\b", arguments) else ("DROP", "SET")
    return [f"ALTER TABLE {table} ALTER COLUMN {column} {forward} NOT NULL"], [
        f"ALTER TABLE {table} ALTER COLUMN {column} {backward} NOT NULL"
    ]


def _rename_column(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    if len(words) < 3:
        return [], []
    table, old, new = map(quoted, words[:3])
    return [f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}"], [f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}"]


def _rename_table(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    if len(words) < 2:
        return [], []
    old, new = map(quoted, words[:2])
    return [f"ALTER TABLE {old} RENAME TO {new}"], [f"ALTER TABLE {new} RENAME TO {old}"]


def _foreign(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    if len(words) < 2:
        return [], []
    column = _option(arguments, "column") or f"{words[1].removesuffix('s')}_id"
    valid = " NOT VALID" if _option(arguments, "validate") == "false" else ""
    named = quoted(_option(arguments, "name") or f"fk_{words[0]}_{column}")
    table = quoted(words[0])
    return [
        f"ALTER TABLE {table} ADD CONSTRAINT {named} FOREIGN KEY ({quoted(column)}) REFERENCES {quoted(words[1])} (id){valid}"
    ], [f"ALTER TABLE {table} DROP CONSTRAINT {named}"]


def _reference(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    column = quoted(f"{words[1] if len(words) > 1 else 'unnamed'}_id")
    table = quoted(words[0])
    found = [f"ALTER TABLE {table} ADD COLUMN {column} bigint"]
    if not re.search(r"index:\s*(?:false|\{[^}]*concurrently)", arguments):
        found.append(f"CREATE INDEX ON {table} ({column})")
    elif "concurrently" in arguments:
        found.append(f"CREATE INDEX CONCURRENTLY ON {table} ({column})")
    return found, [f"ALTER TABLE {table} DROP COLUMN {column}"]


def _named(words: list[str], arguments: str) -> str:
    """The constraint's name; where Rails makes it up, one that nothing else has."""
    return quoted(_option(arguments, "name") or (words[1] if len(words) > 1 and " " not in words[1] else "unnamed"))


def _check(words: list[str], arguments: str) -> tuple[list[str], list[str] | None]:
    valid = " NOT VALID" if _option(arguments, "validate") == "false" else ""
    named = quoted(_option(arguments, "name") or "check_of_" + words[0])
    condition = words[1] if len(words) > 1 and " " in words[1] else "condition"
    return [f"ALTER TABLE {quoted(words[0])} ADD CONSTRAINT {named} CHECK ({condition}){valid}"], [
        f"ALTER TABLE {quoted(words[0])} DROP CONSTRAINT {named}"
    ]


_CALLS: dict[str, Any] = {
    "drop_table": lambda w, a: ([f"DROP TABLE {quoted(w[0])}"], [f"CREATE TABLE {quoted(w[0])} ()"] if " do" in a else None),
    "add_column": _add_column, "remove_column": _remove_column, "remove_columns": _remove_columns, "add_index": _index,
    "remove_index": _remove_index, "change_column": _change_column, "change_column_null": _change_null,
    "rename_column": _rename_column, "rename_table": _rename_table, "add_foreign_key": _foreign, "add_reference": _reference,
    "add_belongs_to": _reference, "add_check_constraint": _check,
    "remove_foreign_key": lambda w, a: ([f"ALTER TABLE {quoted(w[0])} DROP CONSTRAINT fk"], []),
    "add_timestamps": lambda w, a: ([f"ALTER TABLE {quoted(w[0])} ADD COLUMN created_at timestamp"], []),
    "validate_check_constraint": lambda w, a: ([f"ALTER TABLE {quoted(w[0])} VALIDATE CONSTRAINT {_named(w, a)}"], []),
    "validate_constraint": lambda w, a: ([f"ALTER TABLE {quoted(w[0])} VALIDATE CONSTRAINT {_named(w, a)}"], []),
    "validate_foreign_key": lambda w, a: ([f"ALTER TABLE {quoted(w[0])} VALIDATE CONSTRAINT {_named(w, a)}"], []),
    "remove_check_constraint": lambda w, a: ([f"ALTER TABLE {quoted(w[0])} DROP CONSTRAINT {_named(w, a)}"], [] if len(w) > 1 and " " in w[1] else None),
    "enable_extension": lambda w, a: ([f'CREATE EXTENSION IF NOT EXISTS "{w[0]}"'], []),
}  # fmt: skip

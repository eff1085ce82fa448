"""What a MariaDB or MySQL database consists of, object by object, so that two states can be compared.

Tables by the server's own ``SHOW CREATE TABLE``, column by column and key by key; the rest by information_schema.
"""

from __future__ import annotations

import re

from fulldress.database.mysql.wire import Connection
from fulldress.patterns import regex

_COUNTER = regex(r" AUTO_INCREMENT=(\d+)")


def read(line: Connection, database: str) -> dict[str, str]:
    """``column orders.total`` -> its definition, and so on for every object. The database's own name is left out."""
    found: dict[str, str] = {}
    for table in tables(line):
        found |= _table(table, _shown(line, table))
    name = database.replace("\\", "\\\\").replace("'", "''")
    own = re.compile(re.escape("`" + database.replace("`", "``") + "`."))
    for kind, owner, thing, text in line.texts(
        f"""SELECT 'view', '', table_name, concat_ws(' ', view_definition, check_option, security_type, definer)
              FROM information_schema.views WHERE table_schema = '{name}'
             UNION ALL SELECT lower(routine_type), '', routine_name, concat_ws(' ', dtd_identifier, routine_definition,
                    is_deterministic, sql_data_access, security_type, definer, sql_mode)
              FROM information_schema.routines WHERE routine_schema = '{name}'
             UNION ALL SELECT 'trigger', event_object_table, trigger_name, concat_ws(' ', action_timing, event_manipulation,
                    action_order, action_statement, definer, sql_mode)
              FROM information_schema.triggers WHERE trigger_schema = '{name}'
             UNION ALL SELECT 'event', '', event_name, concat_ws(' ', event_type, execute_at, interval_value, interval_field,
                    status, event_definition, definer) FROM information_schema.events WHERE event_schema = '{name}'"""
    ):
        found[f"{kind} {f'{owner}.' if owner else ''}{thing}"] = own.sub("", text)
    for routine, position, parameter in line.texts(
        "SELECT specific_name, ordinal_position, concat_ws(' ', parameter_mode, parameter_name, dtd_identifier)"
        f" FROM information_schema.parameters WHERE specific_schema = '{name}'"
    ):
        found[f"parameter {routine}.{position}"] = parameter
    ((charset, collation),) = line.texts("SELECT @@character_set_database, @@collation_database")
    found["setting character set"] = f"{charset} {collation}"
    return found


def tables(line: Connection) -> list[str]:
    """Tables that hold rows; sequences of MariaDB are tables here."""
    return [
        name for name, kind in line.texts("SHOW FULL TABLES") if kind in ("BASE TABLE", "SEQUENCE", "SYSTEM VERSIONED")
    ]


def sequences(line: Connection) -> dict[str, int]:
    """The next value of every AUTO_INCREMENT, by table."""
    found = {}
    for table in tables(line):
        match = _COUNTER.search(_shown(line, table).rpartition("\n")[2])
        if match:
            found[table] = int(match[1])
    return found


def _shown(line: Connection, table: str) -> str:
    quoted = "`" + table.replace("`", "``") + "`"
    return line.texts(f"SHOW CREATE TABLE {quoted}")[0][1]


def _table(name: str, text: str) -> dict[str, str]:
    """Lines of SHOW CREATE TABLE: one a column, key or constraint, and the order of the columns."""
    first, *lines, last = text.split("\n")
    found, order = {}, []
    for line in lines:
        words = line.strip().rstrip(",")
        if words.startswith("`"):
            column = words[1:].partition("` ")[0]
            order.append(column)
            found[f"column {name}.{column}"] = words.partition("` ")[2]
        else:
            found[f"key {name}.{words[:80]}"] = words
    options = _COUNTER.sub("", last.lstrip(") "))
    begin = first.partition("TABLE")[0].strip()
    return {f"table {name}": f"{begin} {options}", f"order {name}": ", ".join(order), **found}

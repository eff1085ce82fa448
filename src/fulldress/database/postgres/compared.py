"""What of production's server the clone's server lacks or does otherwise: extensions, and how the machine sorts text."""

from __future__ import annotations

from collections.abc import Mapping

from fulldress.database.postgres.wire import Connection
from fulldress.facts import Evidence, Reason, Unread, Witness

#: Locales that sort by code point, whatever the version of the C library.
BYTEWISE = ("C", "POSIX", "C.UTF-8", "C.utf8", "")


def gap(what: str, detail: str, *, needed: bool = False, reason: Reason = Reason.NOT_MEASURED) -> Unread:
    """What a clone cannot show."""
    return Unread(witness=Witness.OBSERVED, evidence=Evidence(), what=what, reason=reason, detail=detail, needed=needed)


def extensions(line: Connection, wanted: Mapping[str, str], database: str) -> list[Unread]:
    """Production's extensions (name to version, empty where unknown) against those of the clone's server."""
    here = {
        str(name): (str(installed or ""), str(default or ""))
        for name, installed, default in line.rows(
            "SELECT name, installed_version, default_version FROM pg_available_extensions"
        )
    }
    missing = sorted(set(wanted) - set(here))
    found = []
    if missing:
        found.append(
            gap(
                f"extensions of database {database}: {', '.join(missing)}",
                "production has them, the rehearsal's server does not: whatever uses them is missing on the clone. "
                "Name the programs of a PostgreSQL that has them with --pg-bin",
                needed=True,
                reason=Reason.CANNOT,
            )
        )
    other = [
        f"{name} {version} (here {here[name][0] or here[name][1]})"
        for name, version in sorted(wanted.items())
        if version and name in here and version != (here[name][0] or here[name][1])
    ]
    if other:
        found.append(
            gap(
                f"versions of extensions of database {database}: {', '.join(other)}",
                "other versions may behave otherwise",
                reason=Reason.CANNOT,
            )
        )
    return found


def collation_query(major: int) -> str:
    """One row, for the current database: locale, provider, version of its rules in the indexes, version now.

    The functions came with 10 (collations) and 15 (databases); before 13 the C library's version is not told."""
    if major >= 17:
        locale, provider = "coalesce(datlocale, datcollate)", "datlocprovider"
    elif major >= 15:
        locale, provider = "coalesce(daticulocale, datcollate)", "datlocprovider"
    else:
        locale, provider = "datcollate", "'c'"
    if major >= 15:
        recorded, actual = "datcollversion", "pg_database_collation_actual_version(d.oid)"
    else:
        recorded = "NULL::text"
        actual = (
            "(SELECT max(pg_collation_actual_version(c.oid)) FROM pg_collation c WHERE collprovider = 'c'"
            " AND replace(lower(collcollate), '-', '') = replace(lower(datcollate), '-', ''))"
        )
    return (
        f"SELECT {locale}::text AS locale, {provider}::text AS provider, coalesce({recorded}, '') AS recorded,"
        f" coalesce({actual}, '') AS actual FROM pg_database d WHERE datname = current_database()"
    )


def collation(line: Connection, database: str, locale: str, version: str, *, copied: bool = False) -> list[Unread]:
    """Whether text sorts here as in production. ``version``: of production's rules, e.g. the C library's.

    ``copied``: indexes came as files, in an order that this machine may not share; every lookup in them is in doubt."""
    if locale in BYTEWISE or not version:
        return []
    here = line.query(collation_query(line.major))[0]
    actual = str(here["actual"])
    if actual == version and str(here["locale"]).lower().replace("-", "") == locale.lower().replace("-", ""):
        return []
    doubt = (
        "indexes on text were copied as they are and may not be in this machine's order: "
        "look-ups may miss rows, unique constraints may let doubles in"
        if copied
        else "order of text, ranges and comparisons may differ; indexes were built anew here, in this machine's order"
    )
    return [
        gap(
            f"order of text in database {database} under {locale}",
            f"production sorts by version {version} of the rules, this machine by {actual or 'one that it does not tell'}: {doubt}",
            needed=copied,
            reason=Reason.CANNOT,
        )
    ]

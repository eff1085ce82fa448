"""Large objects: their bytes, owners, privileges and comments. They lie beside the tables, which know their numbers."""

from __future__ import annotations

import msgspec

from fulldress.database.postgres.wire import Connection

_PAGES = {
    True: "coalesce(sum(hash_record_extended(ROW(p.loid, p.pageno, p.data), 0)), 0)",
    False: "coalesce(sum(hashtextextended(ROW(p.loid, p.pageno, p.data)::text, 0)), 0)",
}
#: Numbers that are named.
FIRST = 5


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """``pages``: the sum of the hashes of all pages; ``about``: a digest of owners, privileges and comments."""

    count: int = 0
    pages: str = "0"
    about: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of objects that are gone, new, and of which the bytes, or only what is about them, is another."""

    lost: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    about: tuple[int, ...] = ()


_ABOUT = """concat_ws(' ', pg_get_userbyid(m.lomowner), (SELECT string_agg(x::text, ',' ORDER BY x::text)
    FROM unnest(coalesce(m.lomacl, acldefault('L', m.lomowner))) x), obj_description(m.oid, 'pg_largeobject'))"""


def total(line: Connection) -> Sum:
    """All of them as one sum."""
    count, about = line.rows(
        f"SELECT count(*), coalesce(md5(string_agg(m.oid || ' ' || {_ABOUT}, ';' ORDER BY m.oid)), '') FROM pg_largeobject_metadata m"
    )[0]
    if not int(str(count)):
        return Sum()
    pages = line.rows(f"SELECT {_PAGES[line.major >= 14]}::text FROM pg_largeobject p")[0][0]
    return Sum(count=int(str(count)), pages=str(pages), about=str(about))


def compare(before: Connection, after: Connection) -> Changes:
    """Object by object."""
    was, is_ = _each(before), _each(after)
    both = sorted(was.keys() & is_.keys())
    changed = tuple(one for one in both if was[one][0] != is_[one][0])
    return Changes(
        lost=tuple(sorted(was.keys() - is_.keys())),
        added=tuple(sorted(is_.keys() - was.keys())),
        changed=changed,
        about=tuple(one for one in both if was[one][1] != is_[one][1]),
    )


def _each(line: Connection) -> dict[int, tuple[str, str]]:
    return {
        int(str(number)): (str(pages), str(about))
        for number, pages, about in line.rows(
            f"""SELECT m.oid, (SELECT {_PAGES[line.major >= 14]}::text FROM pg_largeobject p WHERE p.loid = m.oid), {_ABOUT}
                  FROM pg_largeobject_metadata m"""
        )
    }


def named(numbers: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"oid = {number}" for number in numbers[:FIRST])

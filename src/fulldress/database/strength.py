"""Modes of locks, by the engines' own names, that ordinary reading and writing of rows does not take.

Whoever holds one of these changes the schema or maintains, or (SQLite) keeps every other writer out.
"""

from __future__ import annotations

_POSTGRES = (
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_MYSQL = ("SHARED_UPGRADABLE", "SHARED_NO_WRITE", "SHARED_NO_READ_WRITE", "SHARED_READ_ONLY", "EXCLUSIVE")
_SQLITE = ("RESERVED", "WAL WRITE", "PENDING", "EXCLUSIVE", "WAL RECOVER")
STRONG = (*_POSTGRES, *_MYSQL, *_SQLITE)

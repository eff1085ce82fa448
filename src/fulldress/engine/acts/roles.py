"""PostgreSQL roles: created with an end date, removed with their sessions and grants.

``VALID UNTIL`` refuses *new* password logins only, and ``DROP ROLE`` succeeds while a session of the role lives on. So to
remove is: no new logins, end the sessions, hand over what it owns, drop its grants, drop it; and to verify is: no such
role *and* no session without a role, asked by somebody whom the same question shows.
https://www.postgresql.org/docs/current/role-removal.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from datetime import datetime

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.engine.venue import Venue
from fulldress.errors import RunbookError
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.steps import Credential


class CreateRole(Act[Credential]):
    def do(self, step: Credential, at: Context) -> Done:
        there = exists(step.database, step.role, at.venue)
        at.keep(there=there)
        if there:
            return Done(Outcome.FAIL, f"role {step.role} exists already; it is somebody else's")
        if at.register:
            at.register.intend(
                kind="role",
                name=step.role,
                where=step.database,
                owner=step.owner,
                expires=step.expires,
                step=step.name,
                details={},
            )
        password = secrets.token_urlsafe(24)
        place = _hand_over(step, password, at)
        until = f" VALID UNTIL {_literal(_instant(step.expires))}" if step.expires else ""
        # what the server is told is a verifier: the password itself is in no statement and in no log
        sql = f"CREATE ROLE {_name(step.role)} LOGIN PASSWORD {_literal(_verifier(password))}{until};\n"
        sql += "".join(f"GRANT {grant} TO {_name(step.role)};\n" for grant in step.grants)
        run = at.venue.execute(step.database, f"BEGIN;\n{sql}COMMIT;\n", name=f"role {step.role}", step=step.name)
        if run.outcome is not Outcome.PASS:
            return Done(run.outcome, excerpt(run.error))
        if at.register:
            at.register.created("role", step.role, step.database)
        return Done(Outcome.PASS, f"role {step.role}; its password is in {place}")

    def settle(self, step: Credential, at: Context) -> Done:
        if step.verify:
            return super().settle(step, at)
        there = exists(step.database, step.role, at.venue)
        return Done(Outcome.PASS if there else Outcome.FAIL, f"role {step.role}: {'there' if there else 'not there'}")

    def undo(self, step: Credential, at: Context) -> Done:
        if at.position.kept.get("there"):
            return Done(Outcome.PASS, "it was there before; it stays")
        done = remove(step.database, step.role, at.venue)
        if done.outcome is Outcome.PASS and at.register:
            at.register.gone("role", step.role, step.database, done.detail)
        return done


def exists(database: str, role: str, venue: Venue) -> bool:
    sql = f"SELECT 1 AS there FROM pg_roles WHERE rolname = {_literal(role)}"  # noqa: S608 - quoted
    return bool(venue.query(database, sql))


def remove(database: str, role: str, venue: Venue) -> Done:
    """Remove a role and look whether role and sessions are gone."""
    if exists(database, role, venue):
        name = _name(role)
        sql = (
            f"ALTER ROLE {name} NOLOGIN;\n"
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {_literal(role)};\n"
            f"REASSIGN OWNED BY {name} TO CURRENT_USER;\nDROP OWNED BY {name};\nDROP ROLE {name};\n"
        )
        run = venue.execute(database, sql, name=f"remove role {role}", step=f"remove {role}")
        if run.outcome is not Outcome.PASS:
            return Done(run.outcome, f"role {role}: it can no longer log in, but: {excerpt(run.error)}")
    return verify(database, role, venue)


def verify(database: str, role: str, venue: Venue) -> Done:
    """Pass only when the same question that does not show the role shows ourselves."""
    rows = venue.query(
        database,
        f"SELECT (SELECT count(*) FROM pg_roles WHERE rolname = {_literal(role)}) AS roles,"  # noqa: S608 - quoted
        " (SELECT count(*) FROM pg_roles WHERE rolname = current_user) AS ourselves,"
        " (SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid"
        " WHERE a.usesysid IS NOT NULL AND r.oid IS NULL) AS orphans",
    )
    if not rows or int(str(rows[0]["ourselves"])) != 1:
        return Done(Outcome.UNKNOWN, "pg_roles does not even show ourselves, so absence proves nothing")
    if int(str(rows[0]["roles"])):
        return Done(Outcome.FAIL, f"role {role} is still there")
    orphans = int(str(rows[0]["orphans"]))
    if orphans:
        return Done(Outcome.FAIL, f"role {role} is gone, but {orphans} session(s) of a dropped role live on")
    return Done(Outcome.PASS, f"role {role}: not in pg_roles (which shows ourselves), no session left")


def _hand_over(step: Credential, password: str, at: Context) -> str:
    """The password into a file that only its owner can read, beside the journal."""
    at.journal.folder.mkdir(mode=0o700, exist_ok=True)
    place = at.journal.folder / f"password-of-{step.name}"
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(password + "\n")
    return str(place)


def _verifier(password: str) -> str:
    """SCRAM-SHA-256 verifier in PostgreSQL's own form (RFC 5802, RFC 7677)."""
    salt, rounds = os.urandom(16), 4096
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(derived, b"Client Key", "sha256")).digest()
    server = hmac.digest(derived, b"Server Key", "sha256")
    salted, kept, shown = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${rounds}:{salted}${kept}:{shown}"


def _instant(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise RunbookError(f'"{text}" is no date. Write expires as 2026-12-31 or 2026-12-31T02:00:00Z') from None


def _name(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

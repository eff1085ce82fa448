"""A vendor's SQL runs as a superuser, as in production, and yet touches nothing of this machine but the copy."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone
from fulldress.findings import Outcome

OUTSIDE = "/dev/shm/fulldress-test-escaped"


@pytest.fixture(autouse=True)
def _nothing_escapes(clone: Clone) -> None:
    if "files" in clone.server.lacking():
        pytest.skip("this kernel has no Landlock")
    assert not Path(OUTSIDE).exists()


@pytest.mark.parametrize(
    "sql",
    [
        f"COPY (SELECT 1) TO PROGRAM 'touch {OUTSIDE}'",
        f"DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {OUTSIDE}'''; END $$",
        f"COPY (SELECT 1) TO '{OUTSIDE}'",
        f"DO $$ DECLARE o oid := lo_from_bytea(0, 'x'); BEGIN PERFORM lo_export(o, '{OUTSIDE}'); END $$",
        f"CREATE TABLESPACE away LOCATION '{Path(OUTSIDE).parent}'",
        "CREATE TABLE words (w text); COPY words FROM PROGRAM 'id'",
    ],
)
def test_files_and_programs_outside_of_the_copy_are_out_of_reach(clone: Clone, sql: str) -> None:
    run = clone.execute(sql, name="reach.sql", step="")
    assert run.outcome is Outcome.FAIL and "reach.sql:1" in run.error
    assert not Path(OUTSIDE).exists()


def test_other_programs_of_the_same_user_are_out_of_reach(clone: Clone) -> None:
    account = clone.server.account
    with subprocess.Popen(
        ["/bin/sleep", "60"], **({"user": account.pw_uid, "group": account.pw_gid} if account else {})
    ) as other:
        try:
            clone.execute(f"COPY (SELECT 1) TO PROGRAM 'kill -9 {other.pid}'", name="kill.sql", step="")
            assert other.poll() is None
        finally:
            other.kill()


def test_other_servers_are_out_of_reach(clone: Clone) -> None:
    if "network" in clone.server.lacking():
        pytest.skip("no namespaces here")
    if clone.execute("CREATE EXTENSION dblink", name="x.sql", step="").outcome is not Outcome.PASS:
        pytest.skip("no dblink here")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        run = clone.execute(f"SELECT dblink_connect('host=127.0.0.1 port={port}')", name="away.sql", step="")
        assert run.outcome is Outcome.FAIL
        with pytest.raises(TimeoutError):
            listener.accept()


def test_files_of_the_copy_itself_are_within_reach(clone: Clone) -> None:
    """Production would let a superuser do it, and so does the copy: what happens, happens in its own folder."""
    here = f"'{clone.server.base}/data/here.csv'"
    sql = f"COPY (SELECT 1) TO {here}; CREATE TABLE n (i int); COPY n FROM {here}"
    assert clone.execute(sql, name="within.sql", step="").outcome is Outcome.PASS

"""Files of this host with everything that belongs to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fulldress.engine import Journal
from fulldress.engine.keeping import differs, from_plain, keep, restore
from fulldress.engine.venues import files
from fulldress.engine.venues.local import Local


def _xattrs(path: Path) -> bool:
    try:
        os.setxattr(path, "user.origin", b"\xffours")
    except OSError:
        return False
    return True


def test_everything_comes_back_through_the_journal(tmp_path: Path) -> None:
    here = Local("here", folder=tmp_path)
    path = tmp_path / "conf"
    path.write_bytes(b"\xff not utf-8 \0")
    path.chmod(0o4750)
    os.utime(path, ns=(1_700_000_000_123_456_789, 1_700_000_000_123_456_789))
    marked = _xattrs(path)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
        path.chmod(0o4750)
    before = files.look(path)
    with Journal(tmp_path / "j.db") as journal:
        journal.write("kept", "s", before=keep(str(path), here, journal).plain())
        kept = from_plain(journal.position("s").kept["before"])
        path.unlink()
        path.write_text("another")
        assert "other bytes" in differs(kept, here)
        assert restore(kept, here, journal) == ""
    assert files.look(path) == before
    assert before is not None and (before.xattrs == {"user.origin": b"\xffours"}) is marked
    assert oct(journal.folder.stat().st_mode)[-3:] == "700"


def test_kept_bytes_that_were_changed_are_not_put_back(tmp_path: Path) -> None:
    here = Local("here", folder=tmp_path)
    path = tmp_path / "conf"
    path.write_text("one")
    with Journal(tmp_path / "j.db") as journal:
        kept = keep(str(path), here, journal)
        (journal.folder / kept.sha256).write_text("tampered")
        path.write_text("two")
        with pytest.raises(Exception, match="were changed"):
            restore(kept, here, journal)
    assert path.read_text() == "two"


@pytest.mark.parametrize("name", ["with space", "new\nline", "ünïcode", "-dash", "x" * 250])
def test_odd_names(tmp_path: Path, name: str) -> None:
    here = Local("here", folder=tmp_path)
    path = str(tmp_path / "sub" / name)
    here.write(path, b"x")
    assert here.read(path) == b"x"
    assert here.walk(str(tmp_path / "sub")) == [str(tmp_path / "sub"), path]
    here.remove(path)
    assert here.stat(path) is None


def test_a_link_that_is_written_through_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("a")
    (tmp_path / "link").symlink_to("real")
    Local("here", folder=tmp_path).write(str(tmp_path / "link"), b"b")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "b"


def test_no_one_sees_half_a_file(tmp_path: Path) -> None:
    """A disk that fills up leaves the old bytes, and nothing beside them."""
    path = tmp_path / "conf"
    path.write_text("old")
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            files.put(path, b"n" * 5000, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [p.name for p in tmp_path.iterdir()] == ["conf"]
    assert path.read_text() == "old"

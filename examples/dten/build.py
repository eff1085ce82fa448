"""Build the demo from source: two releases of a vendor's product, the upgrade package, and a small production.

Everything it writes goes below ``examples/dten/build`` and is the same on every machine, but for the address of the
database, which depends on where the demo runs.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import binaries
import certificates
import traffic_log

HERE = Path(__file__).parent
BUILD = HERE / "build"
PACKAGE = BUILD / "Full-upgrade-package-dten.zip"
PREVIOUS = BUILD / "dten-4.0.1.zip"
PRODUCTION = BUILD / "production"
STAMP = (2026, 11, 16, 8, 30, 0)


def core(version: str) -> bytes:
    text = (HERE / "vendor" / "core.py.in").read_text()
    return text.replace("@VERSION@", version).replace("@HYBRID@", str(version >= "4.2")).encode()


def release(version: str) -> dict[str, bytes]:
    """The entries of one release's package, by name."""
    folder = HERE / "vendor" / version
    entries = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    entries["bin/dten-core"] = core(version)
    if version == "4.2.0":
        entries["bin/dten-agent"] = binaries.go_program("v3.6.1", "dten.example/agent", "2025-02-11T09:12:31Z")
        entries["lib/dten-bridge.jar"] = binaries.java_archive("3.6.1", "2025-02-11T09:12:00Z")
        entries["payload/extras.tar.gz"] = extras()
    return entries


def extras() -> bytes:
    """A nested archive with a second, forgotten timer."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, text in (
            (
                "systemd/dten-report.timer",
                "[Timer]\nOnCalendar=Sun *-*-* 04:30:00\n\n[Install]\nWantedBy=timers.target\n",
            ),
            ("systemd/dten-report.service", "[Service]\nExecStart=/opt/dten/bin/dten-core --report\nUser=dten\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(text), int(datetime(*STAMP, tzinfo=UTC).timestamp())
            tar.addfile(member, io.BytesIO(text.encode()))
    import gzip

    return gzip.compress(held.getvalue(), mtime=0)


def pack(path: Path, entries: dict[str, bytes], generation: str, signed: datetime) -> None:
    """Write a ZIP with a checksum list and a detached signature over that list."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(entries.items())).encode()
    entries = {
        **entries,
        "signature/SHA256SUMS": sums,
        "signature/SHA256SUMS.p7s": certificates.sign(sums, generation, signed),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in sorted(entries.items()):
            member = zipfile.ZipInfo(name, STAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o755 if name.startswith(("bin/", "scripts/")) else 0o644) << 16
            out.writestr(member, data)


def root_tree(root: Path) -> None:
    """What stands on the application host before the upgrade, grown over the years."""
    old = release("4.0.1")
    files = {
        "opt/dten/bin/dten-core": (old["bin/dten-core"], 0o755),
        "opt/dten/releases/4.0.1/dten-core": (old["bin/dten-core"], 0o755),
        "opt/dten/releases/4.0.1/defaults.conf": (old["etc/dten/defaults.conf"], 0o644),
        "etc/dten/defaults.conf": (old["etc/dten/defaults.conf"], 0o644),
        "etc/dten/dten.conf": ((HERE / "team/settings/dten.conf").read_bytes(), 0o640),
        "etc/systemd/system/dten-core.service": (old["systemd/dten-core.service"], 0o644),
        "etc/systemd/system/dten-relay.service": (
            b"[Unit]\nDescription=DTEN relay (was dten-bridge until 4.0)\n\n"
            b"[Service]\nExecStart=/bin/sleep 86400\n\n[Install]\nWantedBy=multi-user.target\n",
            0o644,
        ),
        "etc/systemd/system/nginx.service": (
            b"[Unit]\nDescription=nginx\n\n[Service]\nExecStart=/bin/sleep 86400\nExecReload=/bin/true\n\n"
            b"[Install]\nWantedBy=multi-user.target\n",
            0o644,
        ),
        "etc/cron.d/backup": (b"30 1 * * * root /usr/local/bin/backup-dten\n", 0o644),
        "usr/local/bin/backup-dten": (b"#!/bin/sh\ndate > /var/lib/dten/last-backup\n", 0o755),
        "var/lib/dten/flags.json": (b'{\n  "hybrid_ui": false,\n  "relay_v2": false\n}\n', 0o644),
        "var/log/dten/core.log": (b"", 0o644),
    }
    for name, (data, mode) in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    wanted.mkdir()
    for unit in ("dten-core", "dten-relay", "nginx"):
        (wanted / f"{unit}.service").symlink_to(f"/etc/systemd/system/{unit}.service")


def production(database_url: str, major: int) -> None:
    """The folder that the team keeps in its git."""
    shutil.copytree(HERE / "team", PRODUCTION, dirs_exist_ok=True)
    old_root, _, _ = certificates.authority("G1")
    new_root, _, _ = certificates.authority("G2")
    (PRODUCTION / "trust").mkdir(exist_ok=True)
    (PRODUCTION / "trust" / "dten-root-ca.pem").write_bytes(certificates.pem(old_root))
    advisory = PRODUCTION / "advisories" / "2026-08-ca-rotation.md"
    advisory.write_text(advisory.read_text().replace("@FINGERPRINT@", certificates.fingerprint(new_root)))
    (PRODUCTION / "logs").mkdir(exist_ok=True)
    (PRODUCTION / "logs" / "access.log").write_text("".join(traffic_log.lines()))
    with (PRODUCTION / "inventory" / "hosts.csv").open("a") as table:
        table.write(f"postgresql,{major},{major},db1\n")
    root_tree(PRODUCTION / "root")
    text = (HERE / "production.toml.in").read_text()
    interpreter = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    text = text.replace("@DATABASE@", database_url).replace("@MAJOR@", str(major)).replace("@PYTHON@", interpreter)
    (PRODUCTION / "production.toml").write_text(text)


def build(database_url: str = "postgresql:///dten", major: int = 17) -> None:
    """Build everything anew."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    pack(PREVIOUS, release("4.0.1"), "G1", datetime(2026, 5, 18, 10, tzinfo=UTC))
    pack(PACKAGE, release("4.2.0"), "G2", datetime(2026, 11, 16, 10, tzinfo=UTC))
    production(database_url, major)


if __name__ == "__main__":
    build()
    print(f"{PACKAGE}\n{PREVIOUS}\n{PRODUCTION}")

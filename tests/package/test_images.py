"""Container images: layers over each other, what is declared, what is missing or not what its name says."""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zstandard

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.facts import Endpoint, Entry, Hook, Privilege, Reason, Release, Schedule, Secret, Setting, Unread
from fulldress.package import Reading, read
from fulldress.package.manifests.images import images, layered
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened

KEY = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
CONFIG: dict[str, Any] = {
    "created": "2026-08-01T10:00:00.123456789Z",
    "config": {
        "User": "app",
        "Env": ["PATH=/usr/bin", "APP_MODE=full", "DB_PASSWORD=hunter2hunter2"],
        "Labels": {"org.opencontainers.image.title": "relay", "org.opencontainers.image.version": "4.2.0"},
    },
}
LOWER = {
    "etc/cron.d/old": b"5 2 * * * root /opt/old\n",
    "app/id_rsa": KEY,
    "d/a.sh": b"#!/bin/sh\n",
    "keep.conf": b"a=1\n",
}
UPPER = {
    "etc/cron.d/.wh.old": b"",
    "app/.wh.id_rsa": b"",
    "d/.wh..wh..opq": b"",
    "d/b.sh": b"#!/bin/sh\n",
    "keep.conf": b"a=2\n",
}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def oci(layers: list[bytes], config: dict[str, Any], leave_out: int = -1, **more: Any) -> dict[str, bytes]:
    """An OCI layout as files."""
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def blob(data: bytes, kept: bool = True) -> dict[str, Any]:
        if kept:
            files[f"blobs/sha256/{digest(data)}"] = data
        return {"digest": f"sha256:{digest(data)}", "size": len(data)}

    rows = [blob(data, place != leave_out) for place, data in enumerate(layers)]
    kind = {"mediaType": "application/vnd.oci.image.config.v1+json"}
    manifest = blob(json.dumps({"config": kind | blob(json.dumps(config).encode()), "layers": rows}).encode())
    manifest |= {"platform": {"os": "linux", "architecture": "amd64"}} | more
    inner = blob(json.dumps({"manifests": [manifest]}).encode())
    files["index.json"] = json.dumps({"manifests": [inner]}).encode()
    return files


def saved(layers: list[bytes], config: dict[str, Any], tags: list[str]) -> dict[str, bytes]:
    """What ``docker save`` wrote for ten years."""
    raw = json.dumps(config).encode()
    files = {f"{digest(raw)}.json": raw}
    names = []
    for data in layers:
        names.append(f"{digest(data)}/layer.tar")
        files[names[-1]] = data
    files["manifest.json"] = json.dumps([{"Config": f"{digest(raw)}.json", "RepoTags": tags, "Layers": names}]).encode()
    return files


def reading(tmp_path: Path, files: Mapping[str, bytes]) -> Reading:
    path = tmp_path / "relay.tar"
    path.write_bytes(make.tarred(files))
    return read(path)


def of(found: Reading, family: type) -> list[Any]:
    return [fact for fact in found.facts if type(fact) is family]


def test_a_later_layer_takes_away(tmp_path: Path) -> None:
    files = oci([make.gzipped(make.tarred(LOWER)), zstandard.compress(make.tarred(UPPER))], CONFIG)
    path = tmp_path / "x.tar"
    path.write_bytes(make.tarred(files))
    with Opened(path, Budget(), Options()) as package:
        laid = layered(package.members, images(package.members))
        assert {p.rsplit("!/")[-1] for p in laid.hidden} == {"etc/cron.d/old", "app/id_rsa", "d/a.sh", "keep.conf"}
        assert {p.rsplit("!/")[-1] for p in laid.visible} == {"d/b.sh", "keep.conf"}


def test_what_is_taken_away_is_not_told_but_its_secrets_are(tmp_path: Path) -> None:
    found = reading(tmp_path, oci([make.tarred(LOWER), make.tarred(UPPER)], CONFIG))
    assert of(found, Schedule) == []
    secrets = {(fact.name, fact.kind) for fact in of(found, Secret)}
    assert ("app/id_rsa", "deleted or replaced in a later layer, and still in the image") in secrets
    assert ("DB_PASSWORD", "environment of the image") in secrets
    assert "hunter2" not in str(found.facts)
    lower_alone = reading(tmp_path, oci([make.tarred(LOWER)], CONFIG))
    assert len(of(lower_alone, Schedule)) == 1


def test_release_and_settings(tmp_path: Path) -> None:
    found = reading(tmp_path, oci([make.tarred(UPPER)], CONFIG))
    release = next(fact for fact in of(found, Release) if fact.aspect == "metadata")
    assert (release.product, release.version, str(release.released)) == ("relay", "4.2.0", "2026-08-01")
    assert [(s.key, s.value) for s in of(found, Setting) if s.key.startswith("APP")] == [("APP_MODE", "full")]
    assert not [gap for gap in of(found, Unread) if gap.reason in (Reason.MISSING, Reason.DISPUTED)]


def test_docker_save(tmp_path: Path) -> None:
    found = reading(
        tmp_path, saved([make.tarred(LOWER), make.tarred(UPPER)], CONFIG, ["registry.example:5000/acme/relay:4.1.9"])
    )
    versions = {fact.version for fact in of(found, Release) if fact.aspect == "metadata"}
    assert versions == {"4.2.0", "4.1.9"}
    assert of(found, Schedule) == []
    assert any(entry.path.endswith("etc/cron.d/old") for entry in of(found, Entry))


def test_a_floating_tag_is_no_version(tmp_path: Path) -> None:
    found = reading(tmp_path, saved([make.tarred(UPPER)], {"config": {}}, ["acme/relay:latest"]))
    assert not [fact for fact in of(found, Release) if fact.aspect == "metadata"]


def test_a_missing_layer_is_said(tmp_path: Path) -> None:
    found = reading(tmp_path, oci([make.tarred(LOWER), make.tarred(UPPER)], CONFIG, leave_out=0))
    missing = [gap for gap in of(found, Unread) if gap.reason is Reason.MISSING]
    assert ["layer 1 of 2 is not in the archive" in gap.detail for gap in missing] == [True] and missing[0].needed


def test_a_blob_that_is_not_what_its_name_says(tmp_path: Path) -> None:
    files = oci([make.tarred(LOWER)], CONFIG)
    name = next(name for name, data in files.items() if data == make.tarred(LOWER))
    found = reading(tmp_path, files | {name: make.tarred(UPPER)})
    assert any("its name is a digest" in gap.detail for gap in of(found, Unread))


def test_a_layer_that_the_configuration_does_not_know(tmp_path: Path) -> None:
    config = CONFIG | {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
    found = reading(tmp_path, oci([make.tarred(LOWER)], config))
    assert any("another digest of this layer" in gap.detail for gap in of(found, Unread))


def test_documents_that_are_none_are_no_fault(tmp_path: Path) -> None:
    for files in (
        {
            "oci-layout": b"{}",
            "index.json": b'{"manifests": [1, {"digest": 5}, {"digest": "sha256:..", "platform": 3}]}',
        },
        {"oci-layout": b"{}", "index.json": b"[" * 100_000},
        {
            "manifest.json": b'[{"Config": "a", "Layers": [1, "b"], "RepoTags": 5}, 7]',
            "a": b'{"config": {"Env": 5}}',
            "b": b"",
        },
        {
            "manifest.json": b'[{"Config": "c.json", "Layers": []}]',
            "c.json": b'{"config": {"Env": ["=", "A"], "Labels": []}}',
        },
    ):
        found = reading(tmp_path, files)
        assert not [gap for gap in of(found, Unread) if "reader failed" in gap.detail]


def test_a_wheel_and_its_own_list(tmp_path: Path) -> None:
    from base64 import urlsafe_b64encode

    def line(name: str, data: bytes) -> str:
        return f"{name},sha256={urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"

    info = "relay-1.0.dist-info/"
    files = {
        "relay/a.py": b"A = 1\n",
        f"{info}WHEEL": b"Wheel-Version: 1.0\n",
        f"{info}METADATA": b"Name: relay\nVersion: 1.0\n",
    }
    record = "".join(line(name, data) for name, data in files.items()) + f"{info}RECORD,,\n"
    path = tmp_path / "relay-1.0-py3-none-any.whl"

    def disputed(files: Mapping[str, bytes], record: str) -> list[str]:
        path.write_bytes(make.zipped({**files, f"{info}RECORD": record.encode()}))
        return [f"{gap.what}: {gap.detail}" for gap in of(read(path), Unread) if gap.reason is Reason.DISPUTED]

    assert disputed(files, record) == []
    assert disputed({**files, "relay/a.py": b"A = 2\n"}, record)[0].startswith(
        "relay/a.py: RECORD states another digest"
    )
    assert "not in RECORD" in disputed({**files, "relay/b.py": b""}, record)[0]
    assert "not in the wheel" in disputed(files, record + "relay/gone.py,,\n")[0]


def test_how_a_container_of_it_is_run(tmp_path: Path) -> None:
    config = {
        "config": {
            "Entrypoint": ["/entrypoint.sh"],
            "Cmd": ["serve"],
            "ExposedPorts": {"8443/tcp": {}, "8080/tcp": {}},
            "Env": ["API=https://api.vendor.example:8443/v1", "SELF=http://web.svc.cluster.local/"],
            "Healthcheck": {"Test": ["CMD", "curl", "-f", "http://localhost/"]},
        },
        "history": [
            {"created_by": "/bin/sh -c #(nop)  ARG NPM_TOKEN=abcd1234"},
            {"created_by": "ENV DB_PASSWORD=$X"},
            3,
        ],
    }
    found = reading(tmp_path, saved([make.tarred(UPPER)], config, ["acme/relay:4.2.0"]))
    assert [(hook.manager, hook.moment, hook.command) for hook in of(found, Hook)] == [
        ("container", "start", "/entrypoint.sh serve")
    ]
    said = {fact.key: fact.value for fact in of(found, Setting) if fact.key.startswith("image ")}
    assert said["image ExposedPorts"] == "8080/tcp 8443/tcp" and said["image Healthcheck"].startswith("CMD curl")
    assert [(e.host, e.port) for e in of(found, Endpoint)] == [("api.vendor.example", 8443)]
    assert [(p.how, p.command) for p in of(found, Privilege)] == [("container as root", "relay")]
    assert [(s.kind, s.name) for s in of(found, Secret)] == [("history of the image", "NPM_TOKEN")]
    assert "abcd1234" not in repr([fact for fact in found.facts if not isinstance(fact, Entry)])


def test_an_image_with_a_user_of_its_own(tmp_path: Path) -> None:
    assert of(reading(tmp_path, oci([make.tarred(UPPER)], CONFIG)), Privilege) == []


def test_files_that_run_as_their_owner(tmp_path: Path) -> None:
    def entry(name: str, mode: int, data: bytes = b"\x7fELF") -> tuple[tarfile.TarInfo, bytes]:
        return make.file(name, data, mode)

    folder = tarfile.TarInfo("var/spool/app")
    folder.type, folder.mode = tarfile.DIRTYPE, 0o2775
    data = make.tar_of(
        entry("usr/bin/su", 0o4755), entry("usr/bin/write", 0o2755), entry("var/lock", 0o2644), (folder, b"")
    )
    (tmp_path / "p.tar").write_bytes(data)
    found = read(tmp_path / "p.tar")
    assert [(p.how, p.command) for p in of(found, Privilege)] == [
        ("setuid file", "/usr/bin/su"),
        ("setgid file", "/usr/bin/write"),
    ]


def test_jars_that_a_class_path_names(tmp_path: Path) -> None:
    core = make.zipped(
        {
            "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\nClass-Path: also.jar ../missing-1.0.\n jar https://x.example/a.jar\n"
        }
    )
    (tmp_path / "p.zip").write_bytes(
        make.zipped({"lib/core.jar": core, "lib/also.jar": make.zipped({"META-INF/MANIFEST.MF": b"A: b\n"})})
    )
    gaps = [gap for gap in of(read(tmp_path / "p.zip"), Unread) if gap.reason is Reason.MISSING]
    assert [gap.what for gap in gaps] == ["../missing-1.0.jar beside core.jar"] and not gaps[0].needed

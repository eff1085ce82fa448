"""A small product that is nothing like the demo's: ``skiff`` takes bookings at a harbour.

Its package is a tar with a YAML manifest, versioned SQL (``V7__…``, ``U7__…``), two scripts called ``apply`` and ``revert``,
settings in YAML, a service that production's own unit starts. Its way back is imperfect in every way that a way back can be:
a dropped column comes back empty, a flag stays flipped, a webhook and a role stay, a file stays. Its job never ends."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fulldress.runbook.steps import Header, Migrate, Probe, Runbook, Script

PORT = 8091
ROWS = 900

MANIFEST = """\
product: skiff
release: 2.3.0
supersedes: 2.2.x
restart: recommended
downtime: none
"""
UP = """\
BEGIN;
ALTER TABLE bookings ALTER COLUMN seats TYPE bigint;
ALTER TABLE bookings DROP COLUMN note;
SELECT pg_sleep(0.6);
COMMIT;
CREATE ROLE skiff_export LOGIN;
"""
DOWN = """\
ALTER TABLE bookings ALTER COLUMN seats TYPE int;
ALTER TABLE bookings ADD COLUMN note text;
"""
APPLY = """\
#!/bin/sh
set -e
sed -i 's/^release:.*/release: 2.3.0/' /etc/skiff/skiff.yaml
echo 'seats_v2: on' >> /etc/skiff/skiff.yaml
echo '{"seats_v2": true}' > /var/lib/skiff/flags.json
printf '#!/bin/sh\\nwhile :; do echo "archive: no route to host, trying again"; sleep 0.01; done >> /var/log/skiff/export.log\\n' > /opt/skiff/export
chmod 755 /opt/skiff/export
echo '15 * * * * root /opt/skiff/export' > /etc/cron.d/skiff-export
/usr/bin/python3 - <<'PY'
import urllib.request
ask = urllib.request.Request("http://hooks.quay.example/hooks", b'{"url": "http://harbour.example/in"}', {"Content-Type": "application/json"})
urllib.request.urlopen(ask, timeout=10).read()
PY
systemctl restart skiffd
"""
REVERT = """\
#!/bin/sh
set -e
sed -i -e 's/^release:.*/release: 2.2.4/' -e '/^seats_v2/d' /etc/skiff/skiff.yaml
rm /etc/cron.d/skiff-export
systemctl restart skiffd
"""
DAEMON = """\
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

settings = dict(line.split(": ", 1) for line in open(sys.argv[1]).read().splitlines() if ": " in line)

class Harbour(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = settings["release"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("127.0.0.1", int(settings["port"])), Harbour).serve_forever()
"""
UNIT = """\
[Unit]
Description=skiff takes bookings

[Service]
ExecStart=/usr/bin/python3 /opt/skiff/skiffd.py /etc/skiff/skiff.yaml

[Install]
WantedBy=multi-user.target
"""
DUMP = f"""\
CREATE TABLE bookings (id int PRIMARY KEY, seats int NOT NULL, note text);
INSERT INTO bookings SELECT g, g % 9, 'window ' || g FROM generate_series(1, {ROWS}) g;
"""
DATABASE = """\
[databases.bookings]
dump = "bookings.sql"
addresses = ["pg.harbour.example:5432"]

[[databases.bookings.traffic]]
name = "take a seat"
sql = "UPDATE bookings SET seats = seats + 1 WHERE id = $1"
per_second = 40.0
draw = "SELECT id FROM bookings"
"""
TRAFFIC = f"""\
[traffic]
log = "access.log"
target = "http://127.0.0.1:{PORT}"
"""
PRODUCTION = """\
name = "skiff at the harbour"
zone = "Europe/Lisbon"

[folders]
root = "root"

[components.skiff]
scheme = "dotted"

[services.skiffd]
health = "http://127.0.0.1:{port}/up"
ready_within = {ready}

[[endpoints]]
host = "hooks.quay.example"
policy = "stub"
answers = "quay.json"

[partitions]
"/" = "10 GiB"
"/var/log" = "100 MiB"

[cleanup]
flags = ["/var/lib/skiff/flags.json"]
webhooks = ["http://hooks.quay.example/hooks"]
"""


def package(path: Path, **changed: str) -> Path:
    """The package at ``path``; ``changed`` puts other text in place of ``up``, ``down``, ``apply``, ``revert``."""
    entries = {
        "skiff-2.3.0/release.yaml": (MANIFEST, 0o644),
        "skiff-2.3.0/db/V7__seats.sql": (changed.get("up", UP), 0o644),
        "skiff-2.3.0/db/U7__seats.sql": (changed.get("down", DOWN), 0o644),
        "skiff-2.3.0/bin/apply": (changed.get("apply", APPLY), 0o755),
        "skiff-2.3.0/bin/revert": (changed.get("revert", REVERT), 0o755),
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, (text, mode) in entries.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(text.encode()), mode, 1_750_000_000
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def production(folder: Path, *, database: str = DATABASE, traffic: str = TRAFFIC, root: bool = True, ready: float = 20) -> Path:  # fmt: skip
    """A production folder with its root tree, a minute of its access log and a dump of its database."""
    for name in ("inventory", "settings", "logs", "trust", "advisories", "matrices"):
        (folder / name).mkdir(parents=True)
    text = PRODUCTION.format(port=PORT, ready=float(ready)) + database + traffic
    (folder / "production.toml").write_text(text if root else text.replace('root = "root"\n', ""))
    (folder / "inventory/hosts.csv").write_text("host,component,version\nharbour,skiff,2.2.4\n")
    (folder / "quay.json").write_text(json.dumps([{"path": "/hooks", "store": True}]))
    (folder / "bookings.sql").write_text(DUMP)
    (folder / "logs/access.log").write_text(log())
    files = {
        "etc/skiff/skiff.yaml": f"# the harbour's own\nrelease: 2.2.4\nport: {PORT}\n",
        "etc/systemd/system/skiffd.service": UNIT,
        "opt/skiff/skiffd.py": DAEMON,
        "var/lib/skiff/flags.json": '{"seats_v2": false}\n',
        "var/log/skiff/skiff.log": "started\n",
        "etc/cron.d/tide": "40 4 * * * root /bin/echo high tide\n",
    }
    for name, content in files.items():
        place = folder / "root" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return folder


def log(seconds: int = 60, per_second: int = 10) -> str:
    """An access log with request times, evenly spread."""
    start = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    lines = []
    for number in range(seconds * per_second):
        at = start + timedelta(seconds=number // per_second)
        lines.append(
            f"10.0.0.{number % 7} - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "
            f'"GET /bookings/{number % 50} HTTP/1.1" 200 120 "-" "till/1.0" 0.004\n'
        )
    return "".join(lines)


def runbook(path: Path, *, migrate: bool = True, **changed: str) -> Runbook:
    """The vendor's own order, for the package at ``path`` that :func:`package` made with the same ``changed``."""

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    seats = Migrate(
        name="seats",
        database="bookings",
        ups=(digest(changed.get("up", UP)),),
        paths=("skiff-2.3.0/db/V7__seats.sql",),
        downs=(digest(changed.get("down", DOWN)),),
        down_paths=("skiff-2.3.0/db/U7__seats.sql",),
    )
    apply = Script(
        name="apply",
        sha256=digest(changed.get("apply", APPLY)),
        package_path="skiff-2.3.0/bin/apply",
        undo_sha256=digest(changed.get("revert", REVERT)),
        undo_path="skiff-2.3.0/bin/revert",
        timeout=float(changed.get("timeout", 60)),
        verify=(Probe(http=f"http://127.0.0.1:{PORT}/up", contains="2.3.0", within=float(changed.get("within", 10))),),
    )
    return Runbook(
        runbook=Header(
            product="skiff",
            version="2.3.0",
            package=hashlib.sha256(path.read_bytes()).hexdigest(),
            package_name=path.name,
            from_version="2.2.4",
        ),
        step=(seats, apply) if migrate else (apply,),
    )

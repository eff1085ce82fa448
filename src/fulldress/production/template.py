"""What ``fulldress init`` writes."""

from __future__ import annotations

from pathlib import Path

from fulldress.errors import AlreadyThere
from fulldress.production.load import FILE

#: folder -> what belongs into it
FOLDERS = {
    "inventory": "What is installed and what runs: dpkg status, pip list --format json, npm ls --json, CycloneDX, a table",
    "settings": "Configuration files as they stand on the hosts",
    "logs": "Access logs, ideally with $msec and $request_time; *outbound* for calls to third parties",
    "trust": "Root certificates (PEM) that you trust for signatures of this vendor",
    "advisories": "Announcements of the vendor, as text",
    "matrices": "Compatibility and upgrade paths, as TOML",
}

TEXT = """\
# Production, as the team describes it. Keep it in git; fulldress only reads it.
# Every key: docs/reference/production-toml.md. Paths are relative to this file.

name = "production"
zone = "UTC"                      # time zone in which windows and schedules are meant, e.g. "Europe/Berlin"

[folders]
inventory  = "inventory"
settings   = "settings"
logs       = "logs"
trust      = "trust"
advisories = "advisories"
matrices   = "matrices"
# root     = "root"               # a copy of the hosts' files (etc/, opt/ … below it), for the rehearsal stage

# What the package upgrades, or asks for. Inventories list it under "packages".
# [components.shop]
# scheme   = "semver"             # deb rpm semver pep440 maven npm dotted
# packages = ["shop-server"]
# settings = ["shop.conf"]        # below settings/

# A database to clone from. It is never written to.
# [databases.main]
# url       = "postgresql://reader@db.example/shop"
# addresses = ["db.example:5432"] # led to the clone on the stage
# free      = "40 GiB"            # where its data lies
#
# [[databases.main.traffic]]
# name       = "read an order"
# sql        = "SELECT * FROM orders WHERE id = $1"
# draw       = "SELECT id FROM orders"
# per_second = 20

# [services.shop]
# start  = ["/opt/shop/bin/serve", "--port", "8080"]   # only where no unit file stands in the root tree
# health = "http://127.0.0.1:8080/health"

# Every host that is called, and what becomes of calls to it in a rehearsal.
# [[endpoints]]
# host   = "imports.example"
# policy = "retired"              # live, stub, retired
# since  = "2026-03"

# Free space, as df -h shows it.
# [partitions]
# "/var/log" = "2 GiB"

# The log to model, and where its requests go in a rehearsal. Only GET and HEAD are sent unless you say otherwise.
# [traffic]
# log     = "access*.log*"
# target  = "http://127.0.0.1:8080"
# methods = ["GET", "HEAD"]

# [channels.status]
# file = "status.log"

# [window]
# starts  = 2026-01-31T02:00:00+01:00
# minutes = 60
"""


def write(folder: Path) -> list[Path]:
    """Write the description and its folders. Raises :class:`AlreadyThere` rather than touching a file that exists.

    Returns what was created."""
    file = folder / FILE
    if file.exists() or file.is_symlink():
        raise AlreadyThere(file)
    created = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in FOLDERS.items():
        below = folder / name
        if not below.is_dir():
            below.mkdir()
            created.append(below)
        note = below / "_about.txt"
        if not note.exists() and not any(below.iterdir()):
            note.write_text(f"{words}.\n", encoding="utf-8")
            created.append(note)
    with file.open("x", encoding="utf-8") as out:
        out.write(TEXT)
    return [file, *created]

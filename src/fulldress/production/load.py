"""``production.toml`` -> :class:`Production`, with errors that name the line; and everything that it leads to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from fulldress.errors import BadSyntax, MissingFolder, NoDescription
from fulldress.facts import AnyFact, Endpoint, Evidence, Partition, Reason, Service, Unread, Use, Witness, mask
from fulldress.patterns import regex
from fulldress.production import inventory, logs, settings, units, uses
from fulldress.production.description import Description
from fulldress.production.grammar import Checker
from fulldress.production.positions import line_of, positions

FILE = "production.toml"
SCHEMES = ("deb", "rpm", "semver", "pep440", "maven", "npm", "dotted")
POLICIES = ("live", "stub", "retired")
_UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "pib": 2**50}
_UNITS |= {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "pb": 10**15}
_UNITS |= {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}  # as ``df -h`` prints them
_SIZE = regex(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$")
_HOST = regex(r"[A-Za-z0-9_*](?:[A-Za-z0-9_.\-*]*[A-Za-z0-9_*])?$|\[?[0-9A-Fa-f:]+\]?$")


def parse_size(text: str) -> int:
    """``2 GiB``, ``500MB``, ``1.5G`` (as ``df -h``) -> bytes. Raises :class:`ValueError` that quotes the text."""
    match = _SIZE.match(text)
    if match is None or match[2].lower() not in _UNITS:
        raise ValueError(f'"{text}" is not a size')
    return int(float(match[1]) * _UNITS[match[2].lower()])


class Production:
    """What a team says of its production, and what its inventory, settings and logs say. Everything is only read."""

    def __init__(self, folder: Path, description: Description, lines: dict[tuple[str | int, ...], int]) -> None:
        self.folder = folder
        self.description = description
        self._lines = lines
        self.tally = logs.Tally()
        self._remembered: tuple[tuple[str, ...], list[AnyFact]] | None = None

    def _path(self, name: str) -> Path:
        return self.folder / name

    @property
    def root(self) -> Path | None:
        """The copy of the hosts' files, if there is one."""
        return self._path(self.description.folders.root) if self.description.folders.root else None

    @property
    def trust(self) -> Path:
        return self._path(self.description.folders.trust)

    @property
    def advisories(self) -> Path:
        return self._path(self.description.folders.advisories)

    @property
    def matrices(self) -> Path:
        return self._path(self.description.folders.matrices)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.description.zone)

    def log_paths(self) -> list[Path]:
        """Access logs, oldest first by name: those that ``[traffic] log`` names, else every ``*.log*`` that is no outbound one."""
        folder = self._path(self.description.folders.logs)
        if wanted := self.description.traffic.log:
            return sorted(path for path in folder.glob(wanted) if path.is_file())
        return [path for path in self._all_logs() if not _outbound(path)]

    def outbound_log_paths(self) -> list[Path]:
        """Logs of calls to third parties: files with ``outbound``, ``egress`` or ``proxy`` in their name."""
        return [path for path in self._all_logs() if _outbound(path)]

    def _all_logs(self) -> list[Path]:
        folder = self._path(self.description.folders.logs)
        paths = (path for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._")
        return sorted(path for path in paths if re.search(r"\.(?:log|jsonl?|txt|gz)(?:\b|\.\d)|access", path.name))

    def requests(self) -> Iterator[logs.Request]:
        """Requests of the access logs; what was not understood goes to :attr:`tally`."""
        return logs.read(self.log_paths(), self.description.traffic.format, self.tally)

    def uses(self, operations: tuple[str, ...] = ()) -> list[Use]:
        """Who called what. ``operations`` are those of a known API (``GET /orders/{id}``), to which paths are folded first."""
        return uses.uses(self.requests(), operations, source=self.description.folders.logs)

    def inventory(self) -> list[AnyFact]:
        """Installed and Running facts, and Unread for what of the inventories was not understood; no log is read."""
        folder = self._path(self.description.folders.inventory)
        return list(inventory.read(folder, self.description, self.folder))

    def missing(self) -> list[Unread]:
        """Folders and files that are not there."""
        return list(self._missing())

    def facts(self, operations: tuple[str, ...] | None = None) -> list[AnyFact]:
        """Everything that production says. Files are read once and remembered.

        ``operations`` of a known API fold the paths of the access logs; other ones than last time read the logs anew."""
        if self._remembered is None or (operations is not None and operations != self._remembered[0]):
            self._remembered = (operations or (), self._read(operations or ()))
        return list(self._remembered[1])

    def _read(self, operations: tuple[str, ...]) -> list[AnyFact]:
        self.tally = logs.Tally()
        found: list[AnyFact] = [*self._described(), *self._missing()]
        if self.root is not None:
            found = list(_joined(found, units.read(self.root)))
        found += self.inventory()
        found += settings.read(self._path(self.description.folders.settings), self.description, self.folder)
        found += self.uses(operations)
        found += self.tally.facts()
        return found

    def _place(self, *path: str | int) -> Evidence:
        return Evidence(source=FILE, path=FILE, line=line_of(self._lines, path))

    def _described(self) -> Iterator[AnyFact]:
        for unit, service in self.description.services.items():
            yield Service(
                witness=Witness.RUNNING, evidence=self._place("services", unit), unit=unit.removesuffix(".service"),
                start=mask(" ".join(service.start)), health=mask(service.health),
            )  # fmt: skip
        for number, endpoint in enumerate(self.description.endpoints):
            yield Endpoint(
                witness=Witness.RUNNING, evidence=self._place("endpoints", number), scheme="", host=endpoint.host.lower(),
                port=endpoint.port or None, policy=endpoint.policy,
            )  # fmt: skip
        for mount, size in self.description.partitions.items():
            place = self._place("partitions", mount)
            yield Partition(witness=Witness.RUNNING, evidence=place, mount=mount, free=parse_size(size))

    def _missing(self) -> Iterator[Unread]:
        """Folders and files that are not there. Without an inventory no requirement can be judged."""
        folders = self.description.folders
        for name, needed in (("inventory", True), ("settings", False), ("logs", False)):
            folder = self._path(getattr(folders, name))
            if not folder.is_dir():
                yield self._gap(f"{name} of production", f"no folder {folder.name}", needed=needed)
            elif not any(path.is_file() and path.name[0] not in "._" for path in folder.rglob("*")):
                yield self._gap(f"{name} of production", f"nothing in {folder.name}/", needed=needed)
        if self.description.traffic.log and not self.log_paths():
            detail = f"nothing in {folders.logs}/ is called {self.description.traffic.log}"
            yield self._gap("access log", detail, place=self._place("traffic", "log"))

    def _gap(self, what: str, detail: str, *, needed: bool = False, place: Evidence | None = None) -> Unread:
        return Unread(
            witness=Witness.RUNNING, evidence=place or self._place("folders"), what=what, reason=Reason.MISSING,
            detail=detail, needed=needed,
        )  # fmt: skip


def _joined(described: list[AnyFact], from_root: Iterable[AnyFact]) -> Iterator[AnyFact]:
    """What production.toml says of a unit, with what its file says it depends on; then the units that only files tell."""
    files = list(from_root)
    depends = {fact.unit: fact.depends for fact in files if isinstance(fact, Service)}
    listed = {fact.unit for fact in described if isinstance(fact, Service)}
    for fact in described:
        yield msgspec.structs.replace(fact, depends=depends.get(fact.unit, ())) if isinstance(fact, Service) else fact
    yield from (fact for fact in files if not (isinstance(fact, Service) and fact.unit in listed))


def _outbound(path: Path) -> bool:
    return any(word in path.name.lower() for word in ("outbound", "egress", "proxy"))


def load(folder: Path) -> Production:
    """Read ``folder/production.toml`` (or the file itself).

    Raises :class:`NoDescription`, :class:`UnknownKey`, :class:`BadSyntax` and :class:`MissingFolder`; each names the
    file, and the line where there is one."""
    file = folder if folder.is_file() else folder / FILE
    folder = file.parent
    if not folder.is_dir():
        raise MissingFolder(folder, "-p")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NoDescription(folder) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadSyntax(file=file.name, line=line, problem="not UTF-8", remedy="Save it as UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(file.name, str(error), text) from None
    lines = positions(text)
    checker = Checker(file.name, lines)
    checker.struct(Description, data)
    description = msgspec.convert(data, Description)
    _check_values(checker, description, folder)
    _check_folders(checker, description, folder, data)
    return Production(folder, description, lines)


def _broken(file: str, message: str, text: str) -> BadSyntax:
    where = re.search(r"\(at line (\d+), column (\d+)\)|\(at end of document\)", message)
    line = int(where[1]) if where and where[1] else text.count("\n") + 1
    problem = message[: where.start()].strip() if where else message
    return BadSyntax(
        file=file, line=line, problem=f"not TOML: {problem[:1].lower()}{problem[1:]}", remedy="Mend this line"
    )


def _check_values(checker: Checker, description: Description, folder: Path) -> None:
    checker.one(
        ("zone",), description.zone, _zone, 'Give a name of the time zone database, such as zone = "Europe/Berlin"'
    )
    checker.each(("partitions",), description.partitions, parse_size, 'Write it as "2 GiB" or "500 MB"')
    for name, component in description.components.items():
        if component.scheme and component.scheme not in SCHEMES:
            raise checker.bad(
                ("components", name, "scheme"), f'unknown version scheme "{component.scheme}"',
                f"Known are {', '.join(SCHEMES)}",
            )  # fmt: skip
    for name, database in description.databases.items():
        if database.url and database.dump:
            raise checker.bad(
                ("databases", name, "dump"), f"[databases.{name}] has both url and dump", "Keep one of them"
            )
        if database.free:
            checker.one(("databases", name, "free"), database.free, parse_size, 'Write it as "40 GiB"')
        if database.size:
            checker.one(("databases", name, "size"), database.size, parse_size, 'Write it as "80 GiB"')
        if database.dump and not (folder / database.dump).is_file():
            raise checker.bad(
                ("databases", name, "dump"), f'"{database.dump}" is no file', "Correct the path, relative to this file"
            )
        for number, query in enumerate(database.traffic):
            if query.per_second <= 0:
                raise checker.bad(
                    ("databases", name, "traffic", number, "per_second"), f'"per_second" of {query.name} must be above 0',
                    "Remove the query if it does not run",
                )  # fmt: skip
    for unit, service in description.services.items():
        if service.health and not re.match(r"https?://[^/\s]+", service.health):
            raise checker.bad(
                ("services", unit, "health"),
                f'"{mask(service.health)}" is no address',
                "Write http://127.0.0.1:8080/health",
            )
    for number, endpoint in enumerate(description.endpoints):
        if endpoint.policy not in POLICIES:
            raise checker.bad(
                ("endpoints", number, "policy"),
                f'unknown policy "{endpoint.policy}"',
                f"Known are {', '.join(POLICIES)}",
            )
        if not _HOST.match(endpoint.host) or not 0 <= endpoint.port <= 65535:
            raise checker.bad(
                ("endpoints", number, "host"), f'"{mask(endpoint.host)}" is not a host name',
                'Give the name alone, without scheme or path; the port goes to "port"',
            )  # fmt: skip
    for name, channel in description.channels.items():
        if bool(channel.file) == bool(channel.command):
            raise checker.bad(
                ("channels", name), f"[channels.{name}] needs exactly one of file and command", "Keep one"
            )
    for key in ("minutes", "decision_minutes", "buffer_minutes"):
        if getattr(description.window, key) < 0:
            raise checker.bad(("window", key), f'"{key}" is below 0', "Give minutes, such as 60")
    _check_traffic(checker, description)
    starts = description.window.starts
    if starts is not None and starts.tzinfo is None:
        raise checker.bad(
            ("window", "starts"), "the window's start has no offset from UTC", "Write 2026-01-31T02:00:00+01:00 or …Z"
        )


def _check_traffic(checker: Checker, description: Description) -> None:
    traffic = description.traffic
    for key in ("scale", "window_minutes"):
        if getattr(traffic, key) <= 0:
            raise checker.bad(("traffic", key), f'"{key}" must be above 0', f"Remove {key} for its default")
    if traffic.target and not re.match(r"https?://[^/\s]+", traffic.target):
        raise checker.bad(("traffic", "target"), f'"{traffic.target}" is no address', "Write http://127.0.0.1:8080")
    for number, method in enumerate(traffic.methods):
        if not re.fullmatch(r"[A-Z]+", method):
            raise checker.bad(("traffic", "methods", number), f'"{method}" is no method', 'Write "GET", "HEAD"')
    if traffic.format:
        from fulldress.production import lines

        lines.named(traffic.format)


def _check_folders(checker: Checker, description: Description, folder: Path, data: dict[str, object]) -> None:
    """A folder that the file names has to be there. One that is only a default may be missing: that is a gap, not an error."""
    named = data.get("folders")
    for key in named if isinstance(named, dict) else ():
        path = folder / getattr(description.folders, key)
        if not path.is_dir():
            raise MissingFolder(path, f"{checker.file}:{line_of(checker.lines, ('folders', key))}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'"{name}" is no time zone') from None

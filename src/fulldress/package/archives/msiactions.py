"""What an MSI's tables make Windows Installer do, in the order of its sequence and in the words of a batch file.

The tables are not scripts, but every row of theirs is what a command does: a ServiceControl row is ``sc stop``, a Registry
row ``reg add``. Said in these words, the rules for scripts hold for them. Sources: Windows Installer's reference, "Custom
Action Types", "ServiceControl Table", "Registry Table", "Formatted", "InstallExecuteSequence Table".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from fulldress.package.archives.msitables import Database, Row
from fulldress.patterns import regex

_ROOTS = {"-1": "HKLM", "0": "HKCR", "1": "HKCU", "2": "HKLM", "3": "HKU"}
_STARTS = {"0": "boot", "1": "system", "2": "auto", "3": "demand", "4": "disabled"}
_FOLDERS = {
    "SystemFolder": "%SystemRoot%\\System32\\", "System64Folder": "%SystemRoot%\\System32\\",
    "System16Folder": "%SystemRoot%\\System\\", "WindowsFolder": "%SystemRoot%\\", "TempFolder": "%TEMP%\\",
    "ProgramFilesFolder": "%ProgramFiles%\\", "ProgramFiles64Folder": "%ProgramFiles%\\",
    "CommonAppDataFolder": "%ProgramData%\\", "WindowsVolume": "%SystemDrive%\\",
}  # fmt: skip
_FORMATTED = regex(r"\[([^\[\]]{1,200})\]")
_REMOVAL = regex(
    r'(?i)^\(?\s*(?:Installed\s+AND\s+)?\(?\s*REMOVE\s*~?=\s*"ALL"\s*\)?\s*\)?(?:\s+AND\s+NOT\s+UPGRADINGPRODUCTCODE)?$'
)
_NO_NAME = regex(r"^(?:ARP|WixUI|DefaultUIFont|ErrorDialog|SecureCustom|AdminProp|MsiHidden)")
#: Functions of WiX's library that start a command line, and the property that an immediate call takes it from.
_QUIET = regex(r"(?i)^(?:CA|Wix|Wix4)?(?:QuietExec|ShellExec|UnelevatedShellExec|SilentExec)\w*$")
_LINES = ("WixQuietExecCmdLine", "WixQuietExec64CmdLine", "QtExecCmdLine", "WixSilentExecCmdLine", "WixShellExecTarget")
_MOST_LINES = 20_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The batch file, the scripts that tables hold as ``(file name, text)``, actions in libraries, and what was not understood."""

    text: str
    scripts: tuple[tuple[str, str], ...]
    libraries: tuple[str, ...]
    gaps: tuple[str, ...]


def product(database: Database) -> str:
    """The release as ``field: value`` lines: name, version, vendor, what it upgrades from, its conditions and reboots."""
    properties = {row.get("Property", ""): row.get("Value", "") for row in database.rows("Property")}
    lines = [
        f"{field}: {' '.join(properties[key].split())}"
        for field, key in (("name", "ProductName"), ("version", "ProductVersion"), ("vendor", "Manufacturer"))
        if properties.get(key)
    ]
    for row in database.rows("Upgrade"):
        low, high, bits = row.get("VersionMin", ""), row.get("VersionMax", ""), int(row.get("Attributes") or 0)
        if (low or high) and not bits & 2:  # 2: it is only looked for
            bounds = [f">{'=' if bits & 256 else ''} {low}"] * bool(low) + [
                f"<{'=' if bits & 512 else ''} {high}"
            ] * bool(high)
            lines.append(f"upgrades-from: {', '.join(bounds)}")
    for row in database.rows("LaunchCondition"):
        lines.append(f"requires: {' '.join(row.get('Condition', '').split())}")
    for row in database.rows("InstallExecuteSequence"):
        if row.get("Action") in ("ForceReboot", "ScheduleReboot") and not _REMOVAL.match(row.get("Condition", "")):
            lines.append(f"reboot: {row['Action']} {row.get('Condition', '')}".rstrip())
    if properties.get("REBOOT", "").upper() in ("F", "FORCE"):
        lines.append("reboot: REBOOT=Force")
    return "\n".join(lines) + "\n"


def paths(database: Database) -> dict[str, str]:
    """Where every file goes, by its key: ``%ProgramFiles%\\Product\\file.exe``."""
    folders = _folders(database)
    places = {
        row["Component"]: folders.get(row.get("Directory_", ""), "") for row in database.rows("Component", "Component")
    }
    return {
        row["File"]: places.get(row.get("Component_", ""), "") + row.get("FileName", row["File"]).rsplit("|", 1)[-1]
        for row in database.rows("File", "File")
    }


def plan(database: Database) -> Plan:
    """What an installation does."""
    return _Planner(database).plan()


def _folders(database: Database) -> dict[str, str]:
    rows = {row["Directory"]: row for row in database.rows("Directory", "Directory")}
    found: dict[str, str] = {}
    for key in rows:
        parts: list[str] = []
        at, steps = key, 0
        while at in rows and steps < 64:
            steps += 1
            if at in _FOLDERS or at.endswith("Folder"):
                parts.append(_FOLDERS.get(at, f"%{at}%\\").rstrip("\\"))
                break
            above = rows[at].get("Directory_Parent", "")
            part = rows[at].get("DefaultDir", "").split(":")[0].rsplit("|", 1)[-1]
            if above and above != at and part not in ("", "."):
                parts.append(part)
            if not above or above == at:
                break
            at = above
        found[key] = "".join(f"{part}\\" for part in reversed(parts))
    return found


class _Planner:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._folders, self._paths = _folders(database), paths(database)
        self._properties = {row.get("Property", ""): row.get("Value", "") for row in database.rows("Property")}
        self._components = {row["Component"]: row for row in database.rows("Component", "Component")}
        self._lines: list[str] = []
        self._scripts: list[tuple[str, str]] = []
        self._libraries: list[str] = []
        self._gaps: list[str] = []

    def plan(self) -> Plan:
        self._say(
            "rem Windows Installer ends at an action that fails (its errorlevel), unless the action's type says otherwise."
        )
        for name, value in sorted(self._properties.items()):
            if re.fullmatch(r"[A-Za-z_][\w.]*", name) and value and not _NO_NAME.match(name):
                self._say(f'set "{name}={_plain(value)}"')
        own: dict[str, Callable[[], Iterator[str]]] = {
            "StopServices": lambda: self._control(2, "stop"), "DeleteServices": lambda: self._control(8, "delete"),
            "StartServices": lambda: self._control(1, "start"), "InstallServices": self._services,
            "WriteRegistryValues": self._registry, "RemoveRegistryValues": self._unregistry, "RemoveFiles": self._deletions,
            "WriteEnvironmentStrings": self._environment,
        }  # fmt: skip
        actions = {row["Action"]: row for row in self._database.rows("CustomAction", "Action")}
        placed: set[str] = set()
        for table in ("InstallUISequence", "InstallExecuteSequence"):
            for row in sorted(self._database.rows(table), key=_place):
                name = row.get("Action", "")
                if name in own and table == "InstallExecuteSequence":
                    rows = list(own[name]())
                    if rows:
                        self._say(f"rem {name}, {row.get('Sequence', '')}")
                    for line in rows:
                        self._say(line)
                elif name in actions and (name not in placed or table == "InstallExecuteSequence"):
                    placed.add(name)
                    self._action(actions[name], f"{table} {row.get('Sequence', '')}", row.get("Condition", ""))
        for name, action in actions.items():
            if name not in placed:
                self._action(action, "started by a dialog or a library only", "")
        if len(self._lines) >= _MOST_LINES:
            self._gaps.append(f"its tables tell of more than {_MOST_LINES:,} steps; the rest was not read")
        return Plan(
            text="\n".join(self._lines[:_MOST_LINES]) + "\n", scripts=tuple(self._scripts),
            libraries=tuple(self._libraries), gaps=tuple(self._gaps),
        )  # fmt: skip

    def _say(self, line: str) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines.append(" ".join(line.splitlines()))

    def _action(self, row: Row, where: str, condition: str) -> None:
        """A custom action. The lower six bits of its type say what it is, 0x100 that it runs when the installation fails."""
        name, bits = row["Action"], int(row.get("Type") or 0) & 0xFFFF
        kind, source, target = bits & 0x3F, row.get("Source", ""), row.get("Target", "")
        about = f"rem {name}: {where}" + (f", if {condition}" if condition else "")
        if bits & 0x100 or _REMOVAL.match(condition):
            self._say(f"{about}; {'only when the installation fails' if bits & 0x100 else 'only at a removal'}")
            return
        command = ""
        if kind in (1, 17):  # a function of a library
            command = self._quiet(name, target)
            if not command:
                self._libraries.append(f"{name} ({target})" if target else name)
        elif kind in (2, 18):  # a program from the tables, or an installed file
            program = f".streams\\Binary.{source}" if kind == 2 else self._paths.get(source, source)
            command = f'"{program}" {self._text(target)}'
        elif kind == 34:
            command = self._text(target)
        elif kind == 50:
            command = f"{self._property(source)} {self._text(target)}"
        elif kind in (5, 6, 37, 38, 53, 54):
            command = self._script(name, kind, source, target)
        elif kind in (21, 22):
            command = f'cscript //nologo "{self._paths.get(source, source)}"'
        elif kind in (35, 51):
            value = self._text(target)
            self._properties[source] = target
            command = f'set "{source}={value}"' if re.fullmatch(r"[A-Za-z_][\w.]*", source) else ""
        elif kind == 19:
            return  # an error message: the installation ends
        elif kind in (7, 23, 39):
            command = f'msiexec /i "{source}" {self._text(target)}'
        else:
            self._gaps.append(f"its action {name} is of type {bits}, which is not known")
        self._say(about)
        if command.strip():
            self._say(command)

    def _quiet(self, name: str, function: str) -> str:
        if not _QUIET.match(function):
            return ""
        value = next((self._properties[key] for key in (name, *_LINES) if self._properties.get(key)), "")
        return self._text(value)

    def _script(self, name: str, kind: int, source: str, target: str) -> str:
        suffix = "js" if kind in (5, 37, 53) else "vbs"
        if kind in (5, 6):
            stream = self._database.streams.get(f"Binary.{source}")
            if stream is None:
                self._gaps.append(f"the script of its action {name} is missing")
                return ""
            text = self._database.script(stream)
            if text is None:
                self._gaps.append(f"the script of its action {name} is too large to be read")
                return ""
        else:
            text = target if kind in (37, 38) else self._properties.get(source, "")
        if not text:
            return ""
        label = f".actions\\{name}.{suffix}"
        self._scripts.append((f"{name}.{suffix}", text + "\n"))
        return f"cscript //nologo {label}"

    def _control(self, bit: int, verb: str) -> Iterator[str]:
        for row in self._database.rows("ServiceControl"):
            if int(row.get("Event") or 0) & bit:
                yield f'sc {verb} "{self._text(row.get("Name", ""))}"'

    def _services(self) -> Iterator[str]:
        for row in self._database.rows("ServiceInstall"):
            component = self._components.get(row.get("Component_", ""), {})
            program = self._paths.get(component.get("KeyPath", ""), "")
            words = [
                f'sc create "{self._text(row.get("Name", ""))}" binPath= "{program}" start= {_STARTS.get(row.get("StartType", ""), "auto")}'
            ]
            if row.get("StartName"):
                words.append(f'obj= "{self._text(row["StartName"])}"')
            if row.get("Password"):
                words.append(f'password= "{self._text(row["Password"])}"')
            yield " ".join(words)

    def _registry(self) -> Iterator[str]:
        for row in self._database.rows("Registry"):
            key = f"{_ROOTS.get(row.get('Root', ''), 'HKLM')}\\{self._text(row.get('Key', ''))}".rstrip("\\")
            name, value = row.get("Name", ""), row.get("Value", "")
            if name in ("+", "-", "*") and not value:
                if name == "-":
                    yield f'reg delete "{key}" /f'
                continue
            kind = "REG_EXPAND_SZ" if value.startswith("#%") else "REG_BINARY" if value.startswith("#x") else "REG_SZ"
            if re.match(r"#[+-]?\d", value):
                kind = "REG_DWORD"
            text = self._text(re.sub(r"^#[%x]?(?!#)", "", value)).replace("[~]", ";").replace('"', "'")
            label = f'/v "{self._text(name)}"' if name else "/ve"
            yield f'reg add "{key}" {label} /t {kind} /d "{text}" /f'

    def _unregistry(self) -> Iterator[str]:
        for row in self._database.rows("RemoveRegistry"):
            key = f"{_ROOTS.get(row.get('Root', ''), 'HKLM')}\\{self._text(row.get('Key', ''))}".rstrip("\\")
            name = row.get("Name", "")
            yield f'reg delete "{key}" {"" if name in ("", "-") else f"/v {chr(34)}{name}{chr(34)}"} /f'

    def _deletions(self) -> Iterator[str]:
        for row in self._database.rows("RemoveFile"):
            if int(row.get("InstallMode") or 0) & 1:  # 1: at the installation
                folder = self._property(row.get("DirProperty", ""))
                name = row.get("FileName", "").rsplit("|", 1)[-1]
                yield f'del /q "{folder}{name}"' if name else f'rmdir "{folder}"'

    def _environment(self) -> Iterator[str]:
        for row in self._database.rows("Environment"):
            name = row.get("Name", "")
            mark, plain = re.match(r"([=+\-!*]*)(.*)", name).groups()  # type: ignore[union-attr]
            if plain and "-" not in mark.replace("=-", "="):
                yield f'setx {plain} "{self._text(row.get("Value", ""))}"{" /m" if "*" in mark else ""}'

    def _property(self, name: str) -> str:
        if self._folders.get(name):
            return self._folders[name]
        return _FOLDERS.get(name) or f"%{name}%"

    def _text(self, text: str) -> str:
        """A Formatted string with its references put into a batch file's words."""

        def put(match: re.Match[str]) -> str:
            name = match[1]
            if name[0] in "#!":
                return self._paths.get(name[1:], name[1:])
            if name[0] == "$":
                return self._folders.get(self._components.get(name[1:], {}).get("Directory_", ""), "")
            if name[0] == "\\":
                return name[1:2]
            return match[0] if name == "~" else f"%{name[1:]}%" if name[0] == "%" else self._property(name)

        return _FORMATTED.sub(put, text)


def _plain(value: str) -> str:
    return " ".join(value.replace("%", "%%").split())


def _place(row: Row) -> int:
    return int(row.get("Sequence") or 0)

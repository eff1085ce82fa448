"""What a Windows task runs, and which member of the package that is."""

from __future__ import annotations

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import xmltree
from fulldress.patterns import regex

_FILE = regex(r"(?i)([^\\/\s\"'=]+\.(?:bat|cmd|ps1|exe|vbs|js|wsf|py|jar))(?=[\s\"']|$)")
#: Programs that run what stands after them.
_HOSTS = ("powershell.exe", "pwsh.exe", "cmd.exe", "wscript.exe", "cscript.exe", "python.exe", "java.exe", "javaw.exe", "rundll32.exe", "conhost.exe")  # fmt: skip


def joined(task: xmltree.Element) -> str:
    """The commands of a task's actions with their arguments."""
    actions = task.get("Actions")
    found = []
    for action in actions.children if actions else ():
        if action.name == "Exec":
            command = action.word("Command")
            command = f'"{command}"' if " " in command and not command.startswith('"') else command
            found.append(f"{command} {action.word('Arguments')}".strip())
        elif action.name == "ComHandler":
            found.append(f"(COM class {action.word('ClassId')})")
        elif action.name in ("SendEmail", "ShowMessage"):
            found.append(f"({action.name})")
    return " && ".join(found)


def script(package: Package, member: Member, command: str) -> str:
    """The member that a command names by its last part; of the same container before any other; empty where unsure."""
    for match in _FILE.finditer(command):
        name = match[1].lower()
        if name in _HOSTS:
            continue
        hits = [
            path for path, other in package.members.items() if other.name.lower() == name and other.kind != "folder"
        ]
        near = [path for path in hits if package.members[path].prefix == member.prefix]
        if len(near or hits) == 1:
            return (near or hits)[0]
    return ""

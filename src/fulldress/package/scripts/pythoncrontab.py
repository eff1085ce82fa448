"""Crontabs that a Python script writes with python-crontab: ``CronTab(user=…)``, ``new``, ``setall``, ``hour.on``, ``write``.

A crontab, a job and a part of its rhythm are tables that names share; what was set is written out where the script calls
``write``, or leaves the ``with`` block.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.values import hole, is_constant

if TYPE_CHECKING:
    from fulldress.package.scripts.python import Script

#: This is no call of the library.
OPEN = object()
#: Parts of a rhythm, as attributes of a job -> the field that they are.
_SLOTS = {"minute": 0, "minutes": 0, "hour": 1, "hours": 1, "day": 2, "dom": 2, "month": 3, "months": 3, "dow": 4}
#: Units of ``job.every(n)`` -> the field that it sets.
_UNITS = {**_SLOTS, "days": 2, "doms": 2, "dows": 4}
_LEAST = ("0", "0", "1", "1", "0")


def follow(
    script: Script, node: ast.Call, name: str, owner: Value, given: list[Value], named: dict[str, Value]
) -> object:
    """What the call makes, or :data:`OPEN`."""
    last = name.rsplit(".", 1)[-1]
    if name in ("crontab.CronTab", "CronTab"):
        return _opened(node, given, named)
    kind = owner.get("@type") if isinstance(owner, dict) else None
    if not isinstance(owner, dict) or kind not in ("crontab", "cron job", "cron field", "cron every"):
        return OPEN
    if kind == "crontab":
        return _of_crontab(script, node, last, owner, given, named)
    fields = owner["@fields"]
    if not isinstance(fields, list):
        return OPEN
    if kind == "cron job":
        return _of_job(node, last, owner, fields, given)
    if kind == "cron every" and last in _UNITS:
        place = _UNITS[last]
        lower = 2 if place == 4 else place
        fields[:] = [*_LEAST[:lower], *(["*"] * (5 - lower))]
        fields[place] = f"*/{text_of(owner['@step'])}" if text_of(owner["@step"]) != "1" else "*"
    elif kind == "cron field":
        _of_field(last, owner, fields, given)
    return owner


def _opened(node: ast.Call, given: list[Value], named: dict[str, Value]) -> Value:
    user = named.get("user", given[0] if given else None)
    path = text_of(named["tabfile"]) if named.get("tabfile") is not None else ""
    switched = next((k.value for k in node.keywords if k.arg == "user"), node.args[0] if node.args else None)
    own = not isinstance(user, str) or (isinstance(switched, ast.Constant) and switched.value is True)
    tab = named.get("tab")
    return {
        "@type": "crontab", "@path": path, "@user": hole("$(whoami)") if own else user, "@jobs": [],
        "@tab": tab if isinstance(tab, str) else "", "@line": str(node.lineno),
    }  # fmt: skip


def _of_crontab(
    script: Script, node: ast.Call, last: str, owner: dict[str, Value], given: list[Value], named: dict[str, Value]
) -> Value:
    jobs = owner["@jobs"]
    if last == "new" and isinstance(jobs, list):
        fields: list[Value] = ["*"] * 5
        job: dict[str, Value] = {
            "@type": "cron job", "@fields": fields, "@line": str(script.line(node)), "@row": script.row(node),
            "@command": named.get("command", given[0] if given else None), "@user": named.get("user", ""),
        }  # fmt: skip
        job.update(
            {slot: {"@type": "cron field", "@place": str(place), "@fields": fields} for slot, place in _SLOTS.items()}
        )
        jobs.append(job)
        return job
    if last in ("write", "write_to_user"):
        if last == "write_to_user" and isinstance(named.get("user"), str):
            owner["@user"] = named["user"]
        path = named.get("filename", given[0] if given and last == "write" else None)
        written(script, owner, text_of(path) if isinstance(path, str) else "")
    elif last == "remove" and given and isinstance(jobs, list):
        jobs[:] = [job for job in jobs if job is not given[0]]
    elif last == "remove_all" and not given and not named:
        script.emit(script.line(node), script.row(node), ("crontab", "-u", text_of(owner["@user"]), "-r"))
    return None


def _of_job(node: ast.Call, last: str, job: dict[str, Value], fields: list[Value], given: list[Value]) -> Value:
    if last == "setall" and given:
        parts = [text_of(item) for item in given] if len(given) > 1 else text_of(given[0]).split()
        special = len(parts) == 1 and parts[0].startswith("@")
        known = special or len(parts) == 5
        fields[:] = list(parts) if known else [hole(ast.unparse(node.args[0])[:40])]
    elif last == "every":
        return {"@type": "cron every", "@step": given[0] if given else "1", "@fields": fields}
    elif last == "every_reboot":
        fields[:] = ["@reboot"]
    elif last == "enable":
        job["@off"] = (
            "yes" if node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value is False else ""
        )
    elif last == "set_command" and given:
        job["@command"] = given[0]
    elif last == "clear":
        fields[:] = ["*"] * 5
    return job


def _of_field(last: str, field: dict[str, Value], fields: list[Value], given: list[Value]) -> None:
    place = int(text_of(field["@place"]))
    if len(fields) != 5:
        return
    texts = [text_of(item) for item in given]
    old = text_of(fields[place])
    if last == "on" and texts:
        fields[place] = ",".join(texts)
    elif last == "during" and len(texts) > 1:
        fields[place] = f"{texts[0]}-{texts[1]}"
    elif last == "every" and texts:
        fields[place] = f"{old if '-' in old else '*'}/{texts[0]}"
    elif last == "clear":
        fields[place] = "*"


def written(script: Script, crontab: Value, path: str = "") -> None:
    """The jobs of a crontab go where cron reads them, each with the line that made it."""
    if not isinstance(crontab, dict) or crontab.get("@type") != "crontab" or crontab.get("@done"):
        return
    crontab["@done"] = "yes"
    path = path or text_of(crontab["@path"]) or f"/var/spool/cron/crontabs/{text_of(crontab['@user'])}"
    for row in text_of(crontab["@tab"]).split("\n"):
        if row.strip():
            script.write(int(text_of(crontab["@line"])), row, path, row + "\n", append=True)
    system = bool(re.search(r"/etc/cron(?:tab$|\.d/)", path)) and is_constant(path)
    jobs = crontab["@jobs"]
    for job in jobs if isinstance(jobs, list) else []:
        if not isinstance(job, dict) or job.get("@off"):
            continue
        fields = job["@fields"]
        rhythm = " ".join(text_of(field) for field in fields) if isinstance(fields, list) else ""
        user = f"{text_of(job['@user']) or 'root'} " if system else ""
        content = f"{rhythm} {user}{text_of(job['@command'], 'a command')}\n"
        script.write(int(text_of(job["@line"])), text_of(job["@row"]), path, content, append=True)

"""Take up the steps that findings offer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from fulldress.errors import RunbookInvalid
from fulldress.facts import Schedule as ScheduleFact
from fulldress.findings import Finding
from fulldress.runbook.steps import AnyStep, Person, Schedule, Script, Setting

#: What comes first before an upgrade: no job may start meanwhile, then the way back, then what has to be there.
_RANK = {"schedule": 0, "probe": 1, "snapshot": 2, "file": 3, "setting": 4, "command": 5}
_FIRST = ("schedule",)


def add(
    steps: Sequence[AnyStep],
    findings: Iterable[Finding],
    *,
    databases: tuple[str, ...],
    schedules: Sequence[ScheduleFact],
    root: Path | None,
) -> list[AnyStep]:
    """``steps`` with the offered ones in place. Offers of one name become one step; one named like a drafted step
    changes that step's fields, one with a ``*`` in its name the fields of every drafted step of its kind that fits."""
    drafted = {step.name: step for step in steps}
    offered: dict[str, dict[str, Any]] = {}
    for finding in findings:
        offer = dict(finding.offers or {})
        name = str(offer.get("name", f"{offer.get('kind', 'step')}-{finding.rule.lower()}"))
        offer["name"] = name
        offer["settles"] = list(offer.get("settles") or [f"{finding.rule} {finding.subject}"])  # type: ignore[call-overload]
        offered[name] = _joined(offered[name], offer) if name in offered else offer
        offered[name].setdefault("why", finding.title)
    new: list[AnyStep] = []
    result = list(steps)
    for name, offer in offered.items():
        if "*" in str(offer.get("databases", "")):
            offer["databases"] = list(databases)
        if name in drafted or "*" in name:
            result = [changed(step, offer) if fits(step, name, offer) else step for step in result]
            continue
        new.append(_resolved(_step(offer, name), steps, schedules, root))
    before = sorted((s for s in new if s.phase == "before"), key=_rank)
    first = [s for s in before if _tag(s) in _FIRST]
    rest = [s for s in before if s not in first]
    # jobs are put out of use before anything else; other remedies follow what was drafted for "before"
    return [
        *first,
        *[s for s in result if s.phase == "before"],
        *rest,
        *[s for s in result if s.phase != "before"],
        *[s for s in new if s.phase != "before"],
    ]


def fits(step: AnyStep, name: str, offer: dict[str, Any]) -> bool:
    """Whether an offer means a drafted step: by its very name, or by a pattern and its kind."""
    if step.name == name:
        return True
    return "*" in name and _tag(step) == offer.get("kind") and fnmatchcase(step.name, name)


def changed(step: AnyStep, offer: dict[str, Any]) -> AnyStep:
    """A drafted step with the offered fields; what it settles already, it goes on to settle."""
    plain: dict[str, Any] = msgspec.to_builtins(step)
    fields = {key: value for key, value in offer.items() if key not in ("name", "kind")}
    fields["why"] = plain.get("why") or fields.get("why", "")
    fields["settles"] = list(dict.fromkeys([*plain.get("settles", ()), *fields.get("settles", ())]))
    return _step({**plain, **fields}, step.name)


def _rank(step: AnyStep) -> int:
    return _RANK.get(_tag(step), 9)


def _tag(step: AnyStep) -> str:
    return str(step.__struct_config__.tag)


def _step(plain: dict[str, Any], name: str) -> AnyStep:
    try:
        return msgspec.convert(plain, AnyStep)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise RunbookInvalid(
            where=f"offered step {name!r}", problem=str(error), remedy="Leave it out: --apply with other findings"
        ) from error


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two offers of one name: what is a list is united, what stands only in one of them stays."""
    joined = {**other, **one}
    for key, value in other.items():
        if isinstance(value, list) and isinstance(one.get(key), list):
            joined[key] = list(dict.fromkeys([*one[key], *value]))
    return joined


def _resolved(step: AnyStep, steps: Sequence[AnyStep], schedules: Sequence[ScheduleFact], root: Path | None) -> AnyStep:
    if isinstance(step, Schedule):
        return msgspec.structs.replace(step, after=_brought_by(step, steps, schedules))
    if isinstance(step, Setting) and not step.file.startswith("/"):
        return _on_host(step, root)
    return step


def _brought_by(step: Schedule, steps: Sequence[AnyStep], schedules: Sequence[ScheduleFact]) -> str:
    """Name of the step that will install the job: the script known to write it, else the vendor's main script."""
    scripts = [s for s in steps if isinstance(s, Script)]
    known = {s.name: s for s in steps}
    if not scripts or step.after in known:
        return step.after
    wanted = {step.after} | {s.installed_by for s in schedules if s.target == step.target}
    for script in scripts:
        if any(w and (script.package_path == w or script.package_path.endswith(f"/{w}")) for w in wanted):
            return script.name
    main = next((s for s in scripts if s.undo_sha256), scripts[-1])
    return main.name


def _on_host(step: Setting, root: Path | None) -> AnyStep:
    """A settings file of the team's folder is some file of the host: the only one of its name in the copy of the root."""
    name = step.file.rsplit("/", 1)[-1]
    found = sorted(path for path in root.rglob(name) if path.is_file()) if root and root.is_dir() else []
    if root and len(found) == 1:
        return msgspec.structs.replace(step, file=f"/{found[0].relative_to(root)}")
    where = f"{len(found)} files of that name in the root tree" if found else "not found in the root tree"
    told = f"Remove {step.key}" if step.remove else f"Set {step.key} to {step.value}"
    return Person(
        name=step.name,
        why=f"{step.why} ({step.file}: {where})".strip(),
        settles=step.settles,
        owner=step.owner,
        phase=step.phase,
        instruction=f"{told} in the host's {name}, and confirm.",
    )

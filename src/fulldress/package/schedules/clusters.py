"""CronJobs of Kubernetes and CronWorkflows of Argo, in manifests and in the templates of Helm charts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm, yamlnodes, zones
from fulldress.package.schedules.jobs import Clock, Found, facts

_KINDS = {"CronJob": "Kubernetes CronJob", "CronWorkflow": "Argo CronWorkflow"}


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The jobs of one manifest or template."""
    import yaml

    if b"CronJob" not in member.data and b"CronWorkflow" not in member.data:
        return
    given = helm.values(package, member) if helm.is_template(member) else None
    rendered = helm.render(member.text, given) if helm.is_template(member) else helm.Rendered(member.text, ())
    try:
        nodes = yamlnodes.documents(rendered.text)
    except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError) as error:
        if any(f"kind: {kind}" in member.text for kind in _KINDS):
            yield Unread(
                witness=Witness.READ,
                evidence=member.evidence(),
                what=f"the CronJob of {member.name}",
                reason=Reason.GRAMMAR,
                detail="a template that could not be filled in" if b"{{" in member.data else str(error).split("\n")[0],
                needed=True,
            )
        return
    for root in nodes:
        for node in [root, *yamlnodes.items(yamlnodes.get(root, "items"))]:
            if yamlnodes.text(node, "kind") in _KINDS and yamlnodes.get(node, "spec") is not None:
                yield from _job(package, member, node, clock, rendered, given)


def _job(
    package: Package, member: Member, node: Any, clock: Clock, rendered: helm.Rendered, given: Any
) -> Iterator[AnyFact]:
    kind, spec = yamlnodes.text(node, "kind"), yamlnodes.get(node, "spec")
    name = yamlnodes.text(node, "metadata", "name") or yamlnodes.text(node, "metadata", "generateName") or member.name
    name = name.replace(helm.OPEN, "…")
    command = _command(spec, kind)
    remarks: list[str] = []
    policy = yamlnodes.text(spec, "concurrencyPolicy") or "Allow"
    off, path = helm.switched_off(rendered, yamlnodes.line(node), given)
    if off:
        remarks.append(f"only where {path} is set: values.yaml leaves it off")
    suspended = yamlnodes.text(spec, "suspend").lower() == "true"
    if suspended:
        remarks.append("suspended")
    schedules = (
        yamlnodes.get(spec, "schedules")
        if yamlnodes.get(spec, "schedules") is not None
        else yamlnodes.get(spec, "schedule")
    )
    zone = yamlnodes.text(spec, "timeZone") or yamlnodes.text(spec, "timezone")
    for expression in yamlnodes.words(schedules):
        yield from _one(
            package, member, clock, policy, spec,
            Found(
                line=yamlnodes.line(schedules), name=name, mechanism=_KINDS[kind], expression=expression.strip(), command=command,
                zone=zone, enabled=not (off or suspended), remarks=tuple(remarks), text=f"schedule: {expression}",
            ),
        )  # fmt: skip


def _one(package: Package, member: Member, clock: Clock, policy: str, spec: Any, found: Found) -> Iterator[AnyFact]:
    expression, zone, remarks = found.expression, found.zone, list(found.remarks)
    if (
        expression.startswith(("TZ=", "CRON_TZ=")) and " " in expression
    ):  # not supported officially, but it was read up to 1.24
        zone, expression = expression.split("=", 1)[1].split(None, 1)
        remarks.append("a zone within the schedule is refused since Kubernetes 1.25: timeZone holds it")
    elif not zone or helm.OPEN in zone:
        zone = "UTC"
        remarks += zones.own(package, "Kubernetes")[1]
    if helm.OPEN in expression:
        yield Unread(
            witness=Witness.READ,
            evidence=member.evidence(found.line),
            what=f"when {found.name} runs",
            reason=Reason.NO_DATA,
            detail="its template takes the schedule from a value that is not in values.yaml",
            needed=found.enabled,
        )
        yield from facts(package, member, _with(found, "(set by values)", "", "UTC", remarks), clock)
        return
    if expression.startswith("@every "):
        yield from facts(package, member, _with(found, expression, "", zone, remarks), clock)
        return
    for fact in facts(package, member, _with(found, expression, "kubernetes", zone, remarks), clock):
        if isinstance(fact, Schedule) and (said := _overlap(fact, policy, spec)):
            fact = msgspec.structs.replace(fact, remarks=(*fact.remarks, said))
        yield fact


def _with(found: Found, expression: str, dialect: str, zone: str, remarks: list[str]) -> Found:
    return msgspec.structs.replace(found, expression=expression, dialect=dialect, zone=zone, remarks=tuple(remarks))


def _overlap(fact: Schedule, policy: str, spec: Any) -> str:
    """A job that may still run when the next one starts, as far as the manifest itself says how long it may take."""
    limit = yamlnodes.text(spec, "jobTemplate", "spec", "activeDeadlineSeconds")
    runs = fact.next_runs
    if policy != "Allow" or not limit.isdecimal() or len(limit) > 8 or len(runs) < 2:
        return ""
    interval = min(b - a for a, b in itertools.pairwise(runs))
    if timedelta(seconds=int(limit)) <= interval:
        return ""
    return f"may run for {limit} s and starts every {interval.total_seconds():.0f} s; concurrencyPolicy Allow lets runs overlap"


def _command(spec: Any, kind: str) -> str:
    if kind == "CronWorkflow":
        entry = yamlnodes.text(spec, "workflowSpec", "entrypoint")
        templates = yamlnodes.items(yamlnodes.get(spec, "workflowSpec", "templates"))
        pods = [yamlnodes.get(t, "container") for t in templates if yamlnodes.text(t, "name") == entry]
        reference = yamlnodes.text(spec, "workflowSpec", "workflowTemplateRef", "name")
        if not pods and reference:
            return f"(workflow template {reference})"
    else:
        pods = yamlnodes.items(yamlnodes.get(spec, "jobTemplate", "spec", "template", "spec", "containers"))
    commands = []
    for pod in pods:
        if pod is None:
            continue
        words = [*yamlnodes.words(yamlnodes.get(pod, "command")), *yamlnodes.words(yamlnodes.get(pod, "args"))]
        commands.append(_shell(words) if words else f"(image {yamlnodes.text(pod, 'image')})")
    return " && ".join(commands).replace(helm.OPEN, "…")


def _shell(words: list[str]) -> str:
    if (
        len(words) >= 3
        and words[1] in ("-c", "-ec", "-lc", "-exc")
        and words[0].rsplit("/", 1)[-1] in ("sh", "bash", "ash")
    ):
        return " ".join(" && ".join(row.strip() for row in words[2].splitlines() if row.strip()).split())
    return " ".join(f"'{word}'" if " " in word or not word else word for word in words)

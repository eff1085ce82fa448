"""Objects that a cluster keeps, as facts: workloads with their probes, services, webhooks of admission, disruption budgets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fulldress.facts import Admission, AnyFact, ClusterService, DisruptionBudget, Evidence, Witness, Workload, excerpt
from fulldress.package.kubernetes.objects import Object
from fulldress.package.reader import Member
from fulldress.package.schedules import helm, yamlnodes

_ADMISSION = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
#: Kinds that keep pods, with how they replace them unless told.
_DEFAULTS = {"Deployment": "RollingUpdate", "StatefulSet": "RollingUpdate", "DaemonSet": "RollingUpdate"}


def facts(member: Member, item: Object) -> Iterator[AnyFact]:
    """The fact of one object, if it is of a kind that is looked at here."""
    node, kind = item.node, item.kind
    if kind in _DEFAULTS:
        yield _workload(member, item)
    elif kind in _ADMISSION:
        yield from _admission(member, item)
    elif kind == "Service":
        yield ClusterService(
            witness=Witness.READ,
            evidence=_place(member, item),
            name=f"{_namespace(node)}/{_own_name(node)}".lstrip("/"),
        )
    elif kind == "PodDisruptionBudget":
        spec = yamlnodes.get(node, "spec")
        yield DisruptionBudget(
            witness=Witness.READ, evidence=_place(member, item), name=_name(item), namespace=_namespace(node),
            selector=_pairs(yamlnodes.get(spec, "selector", "matchLabels")),
            min_available=_known(yamlnodes.text(spec, "minAvailable")),
            max_unavailable=_known(yamlnodes.text(spec, "maxUnavailable")),
        )  # fmt: skip


def _place(member: Member, item: Object) -> Evidence:
    return member.evidence(yamlnodes.line(item.node), text=f"{item.kind} {_name(item)}")


def _name(item: Object) -> str:
    return item.name.replace(helm.OPEN, "…")


def _own_name(node: Any) -> str:
    """The name as it will be; ``…`` where the installation makes it, so that nothing is compared with it."""
    name = yamlnodes.text(node, "metadata", "name")
    return name.replace(helm.OPEN, "…") if name.replace(helm.OPEN, "").strip(" -.") else "…"


def _namespace(node: Any) -> str:
    return _known(yamlnodes.text(node, "metadata", "namespace"))


def _known(text: str) -> str:
    return "" if helm.OPEN in text else text


def _pairs(node: Any) -> str:
    """``a=b,c=d``, sorted; empty where a value is open, since then nothing can be compared."""
    found = sorted(f"{key}={value.value}" for key, value in yamlnodes.pairs(node) if hasattr(value, "value"))
    words = ",".join(found)
    return "" if helm.OPEN in words else words


def _workload(member: Member, item: Object) -> Workload:
    node, kind = item.node, item.kind
    spec = yamlnodes.get(node, "spec")
    pod = item.pod()
    containers = yamlnodes.items(yamlnodes.get(pod, "containers"))
    replicas = yamlnodes.text(spec, "replicas")
    strategy = yamlnodes.text(spec, "strategy" if kind == "Deployment" else "updateStrategy", "type")
    budgets = [budget for container in containers if (budget := _killed_after(container)) is not None]
    return Workload(
        witness=Witness.READ,
        evidence=_place(member, item),
        kind=kind,
        name=_name(item),
        namespace=_namespace(node),
        replicas=None if kind == "DaemonSet" else _number(replicas) if replicas else 1,
        strategy=_known(strategy or _DEFAULTS[kind]),
        command=_commands(containers),
        before=_commands(yamlnodes.items(yamlnodes.get(pod, "initContainers"))),
        selector=_pairs(yamlnodes.get(spec, "selector", "matchLabels")),
        fixed=_fixed(spec) if kind == "StatefulSet" else "",
        labels=_pairs(yamlnodes.get(spec, "template", "metadata", "labels")),
        killed_after=min(budgets, default=None),
    )


def _commands(containers: list[Any]) -> str:
    found = []
    for container in containers:
        words = [
            *yamlnodes.words(yamlnodes.get(container, "command")),
            *yamlnodes.words(yamlnodes.get(container, "args")),
        ]
        if words:
            found.append(" ".join(" ".join(words).split()).replace(helm.OPEN, "…"))
    return excerpt(" && ".join(found), 400)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and len(text) < 7 else None


def _fixed(spec: Any) -> str:
    """What a StatefulSet may not change: its service, and its claims."""
    service = _known(yamlnodes.text(spec, "serviceName"))
    claims = []
    for claim in yamlnodes.items(yamlnodes.get(spec, "volumeClaimTemplates")):
        size = yamlnodes.text(claim, "spec", "resources", "requests", "storage")
        storage = yamlnodes.text(claim, "spec", "storageClassName")
        claims.append(f"{yamlnodes.text(claim, 'metadata', 'name')} {size} {storage}".strip())
    words = "; ".join(filter(None, (f"service {service}" if service else "", *(f"claim {c}" for c in claims))))
    return "" if helm.OPEN in words else words


def _killed_after(container: Any) -> int | None:
    """Seconds that a container has to answer its first probe: the start-up probe's, else the liveness probe's.

    Defaults of the API: period 10 s, three failures, no delay. None: no probe, or a figure that is open."""
    for probe in ("startupProbe", "livenessProbe"):
        node = yamlnodes.get(container, probe)
        if node is None or not list(yamlnodes.pairs(node)):
            continue
        figures = []
        for key, default in (("initialDelaySeconds", 0), ("periodSeconds", 10), ("failureThreshold", 3)):
            text = yamlnodes.text(node, key)
            figure = _number(text) if text else default
            if figure is None:
                return None
            figures.append(figure)
        delay, period, failures = figures
        return delay + period * failures
    return None


def _admission(member: Member, item: Object) -> Iterator[AnyFact]:
    for hook in yamlnodes.items(yamlnodes.get(item.node, "webhooks")):
        service = yamlnodes.get(hook, "clientConfig", "service")
        name, space = yamlnodes.text(service, "name"), _known(yamlnodes.text(service, "namespace"))
        if helm.OPEN in name or (not name and not yamlnodes.text(hook, "clientConfig", "url")):
            continue
        yield Admission(
            witness=Witness.READ, evidence=member.evidence(yamlnodes.line(hook), text=f"webhook {yamlnodes.text(hook, 'name')}"),
            name=yamlnodes.text(hook, "name").replace(helm.OPEN, "…") or _name(item), service=f"{space}/{name}".lstrip("/") if name else "",
            policy=_known(yamlnodes.text(hook, "failurePolicy") or "Fail"),
        )  # fmt: skip

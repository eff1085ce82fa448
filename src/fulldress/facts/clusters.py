"""What a package brings for a cluster, and on which base its images stand."""

from __future__ import annotations

from fulldress.facts.witness import Fact


class Workload(Fact, tag=True, frozen=True, kw_only=True):
    """A Deployment, StatefulSet or DaemonSet. Values that only the installation knows are empty or None."""

    kind: str
    name: str
    namespace: str = ""
    replicas: int | None = None
    strategy: str = ""  #: ``Recreate``, ``RollingUpdate``, ``OnDelete``; as written, else the kind's default
    command: str = ""  #: what its containers run, as far as the manifest says
    before: str = ""  #: what its init containers run
    selector: str = ""  #: ``key=value`` pairs, sorted; the cluster refuses to change them
    fixed: str = ""  #: other fields that cannot be changed, in words
    labels: str = ""  #: labels of its pods, ``key=value``, sorted
    #: seconds after its start at which a container that answers no probe yet is killed; None: no probe kills it
    killed_after: int | None = None


class Admission(Fact, tag=True, frozen=True, kw_only=True):
    """A webhook that the cluster asks before it stores an object. ``service`` is ``namespace/name``, empty for an address."""

    name: str
    service: str = ""
    policy: str = "Fail"  #: ``Fail``: what cannot be asked is refused; ``Ignore``


class ClusterService(Fact, tag=True, frozen=True, kw_only=True):
    """A Service: ``namespace/name``."""

    name: str


class DisruptionBudget(Fact, tag=True, frozen=True, kw_only=True):
    """How many pods of a selection have to stay, or may go, at once; as written."""

    name: str
    selector: str
    namespace: str = ""
    min_available: str = ""
    max_unavailable: str = ""


class Base(Fact, tag=True, frozen=True, kw_only=True):
    """The distribution below an image, by its tag or by its files: ``debian bookworm``, ``alpine``; with its C library if told."""

    component: str
    distribution: str

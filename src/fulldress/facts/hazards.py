"""Places in a script where it may do harm by how it is written."""

from __future__ import annotations

from fulldress.facts.witness import Fact


class Hazard(Fact, tag=True, frozen=True, kw_only=True):
    """A place where a script goes wrong as soon as something around it does.

    ``kind`` is one of: ``left stopped``, ``stopped on failure``, ``folder not reached``, ``original lost``,
    ``error swallowed``, ``endless wait``, ``predictable temporary file``, ``open to everybody``, ``unchecked download``,
    ``package removed``, ``not its own``, ``data destroyed``, ``asks through debconf``, ``no lock``,
    ``lock left behind``, ``lock broken``, ``lock held``, ``exit code lost``, ``step not checked``,
    ``certificate check off``, ``guard off``, ``locale parsed``, ``failure passed over``, ``not waited for``,
    ``restart not ruled out``,
    ``subchart missing``, ``not upgraded by Helm``, ``down while replaced``, ``takes others off``."""

    kind: str
    what: str  #: the command, file or unit that it is about; one word or a short command
    detail: str = ""  #: why, in words

"""What a script does, one event at a time. Readers of languages yield events; rules turn them into facts."""

from __future__ import annotations

import msgspec

from fulldress.package.reader import Member


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a script. ``text`` is the source text, for the excerpt."""

    member: Member
    line: int
    text: str
    #: Variables that are surely not empty here, e.g. inside ``if [ -n "$DIR" ]``.
    sure: frozenset[str] = frozenset()
    when: str = ""  #: where no upgrade does it: ``only on a fresh install``
    folder: str = ""  #: the working folder, where it is known
    errexit: bool = False  #: ``set -e``: a failure ends the script
    pipefail: bool = False
    #: What becomes of a failure: ``tested``, ``swallowed`` (``|| true``), ``piped`` (lost in a pipeline),
    #: ``declared`` (lost in ``local X=$(…)``), empty: nothing
    handled: str = ""
    nounset: bool = False  #: ``set -u``: an unset variable ends the script


class Call(Event, frozen=True, kw_only=True):
    """A command with its expanded words; unknown parts are holes (see :mod:`fulldress.package.scripts.values`).

    ``words[0]`` is the command's name. A call through ``sudo`` is yielded twice: as it stands, and as what it runs."""

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()  #: assignments before the name
    stdin: str | None = None  #: what it reads, where that is known
    fed: bool = False  #: something other than the terminal is its standard input
    piped_from: str = ""  #: name of the command before it in a pipeline
    unheard: bool = False  #: its language goes on whatever its exit code is, and nothing looks at it
    apart: bool = False  #: it is started, and what follows does not wait for it
    alone: bool = True  #: False: nobody waits at it (inside a substitution or a test)

    @property
    def name(self) -> str:
        """The command without its folder."""
        return self.words[0].rsplit("/", 1)[-1]

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.words[1:]


class Write(Event, frozen=True, kw_only=True):
    """Text that is written to a file. ``content`` is None where it is not known; ``first_line`` is where it begins."""

    path: str
    content: str | None
    append: bool = False
    first_line: int = 0


class Assign(Event, frozen=True, kw_only=True):
    """A variable gets a value."""

    name: str
    value: str


class Gap(Event, frozen=True, kw_only=True):
    """Lines that the grammar does not cover; they were read line by line."""

    last: int
    problem: str = ""
    needed: bool = False  #: the line rules could not make sense of it either
    missing: str = ""  #: a file of another package, which the script makes a part of itself


class Swallowed(Event, frozen=True, kw_only=True):
    """A step whose failure nobody notices: the script goes on as if it had worked."""

    what: str  #: the step
    how: str  #: what makes it unheard, in the script's own words: ``except: pass``, ``-ErrorAction SilentlyContinue``


class Risk(Event, frozen=True, kw_only=True):
    """Something that the language's reader sees in the form of the script; ``kind`` as in :class:`fulldress.facts.Hazard`."""

    kind: str
    what: str
    detail: str


AnyEvent = Call | Write | Assign | Gap | Swallowed | Risk

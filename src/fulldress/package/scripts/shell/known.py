"""What the follower of a shell script knows at a place: variables, options, what was written, where it is and how it came there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from tree_sitter import Node

from fulldress.package.reader import Member, Package
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.values import ALTERNATIVES
from fulldress.package.scripts.words import Words
from fulldress.package.scripts.written import Written

_STEPS = 60_000  #: nodes followed for one script, over all its functions and the scripts that it calls
_LONG, _PER_STEP = 1000, 50  #: characters of a text that cost nothing; of those beyond, as many count as one step

Environment = dict[str, list[str]]


class Exhausted(Exception):
    """The script has too many ways through it, or makes too long texts of too little."""


class Function(msgspec.Struct, frozen=True):
    body: Node
    member: Member
    offset: int


class Known(Words):
    """The state of one pass over one script; nothing is followed here."""

    def __init__(self, package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
        self.package = package
        self.member = member
        self.emit = emit
        self.variables: Environment = {}
        self.arguments: tuple[str, ...] | None = None  # None: not known
        self.functions: dict[str, Function] = {}
        self.called: set[str] = set()
        self.arrays: dict[str, list[str]] = {}
        self.maps: dict[str, dict[str, str]] = {}
        self.fixed: frozenset[str] = frozenset()
        self.written: dict[str, Written] = {}
        self.traps: dict[str, tuple[Node, Member, int]] = {}  # text that runs at the end -> where it stands
        self.descriptors: dict[str, str] = {}  # number of an open file -> its path
        self.locals: list[Environment] = []  # what the variables of a running function hid
        self.doubt = 0  # conditions around this place that are not known
        self.ended = ""  # "exit" or "return" was surely reached
        self.condition: bool | None = None  # of the last if
        self.stdin_line = 0  # where the here-document begins that is read
        self.holed = False  # its text is from another script, and may hold holes
        self.active: list[str] = []
        self.scripts: dict[str, set[str]] = {}  # path -> the values with which it was followed
        self.sure: frozenset[str] = frozenset()
        self.nounset = False
        self.errexit = self.pipefail = False
        self.handled = ""
        self.offset = 0
        self.steps = 0
        self.stdin: str | None = None
        self.fed = False
        self.before = ""  # the command before this one in a pipeline
        self.alone = True

    def text(self, text: str, line: int) -> str:
        raise NotImplementedError

    def begin(self, arguments: tuple[str, ...] | None) -> None:
        """Starts over for a further way in which the script is called."""
        self.arguments = arguments
        self.variables, self.functions, self.arrays, self.maps = {}, {}, {}, {}
        self.called, self.scripts, self.written, self.traps = set(), {}, {}, {}
        self.sure, self.nounset, self.doubt, self.ended = frozenset(), False, 0, ""
        self.errexit = self.pipefail = False

    @contextmanager
    def told(self, when: str) -> Iterator[None]:
        """All that happens inside is said to happen only then or there."""
        if not when:
            yield
            return
        kept = self.emit

        def emit(event: AnyEvent) -> None:
            kept(msgspec.structs.replace(event, when=f"{event.when}, {when}" if event.when else when))

        self.emit = emit
        try:
            yield
        finally:
            self.emit = kept

    def step(self, characters: int = 0) -> None:
        """Counts a node that is followed, or text that is made. Raises :class:`Exhausted`."""
        self.steps += max(0, characters - _LONG) // _PER_STEP if characters else 1
        if self.steps > _STEPS:
            raise Exhausted

    # -- places

    @property
    def folder(self) -> str:
        """The working folder, where it is known for sure."""
        known = self.variables.get("PWD", [])
        return known[0] if len(known) == 1 and known[0].startswith("/") else ""

    def place(self, node: Node) -> dict[str, Any]:
        """What every event of this node says of its place."""
        return {
            "member": self.member,
            "line": node.start_point.row + 1 + self.offset,
            "text": first_line(node),
            "sure": self.sure,
            "nounset": self.nounset,
            "errexit": self.errexit,
            "pipefail": self.pipefail,
            "handled": self.handled,
            "folder": self.folder,
        }

    def _copy(self) -> Environment:
        return dict(self.variables)  # lists of values are replaced, never changed


def merge(branches: list[Environment]) -> Environment:
    """The values that variables may have after any of the branches."""
    merged = dict(branches[0])
    for branch in branches[1:]:
        for name, values in branch.items():
            held = merged.get(name)
            if held is None:
                merged[name] = values
            elif held is not values and held != values:
                merged[name] = [*held, *(value for value in values if value not in held)][:ALTERNATIVES]
    return merged


_SKIPPED = ("comment", "heredoc_start", "heredoc_end", "word")


def is_statement(node: Node) -> bool:
    return node.is_named and node.type not in _SKIPPED


def first_line(node: Node) -> str:
    text = (node.text or b"").decode("utf-8", "replace")
    return text.split("\n", 1)[0] if not text.startswith("\n") else text.strip().split("\n", 1)[0]

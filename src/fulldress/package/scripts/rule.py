"""What every rule for scripts gets, and how it makes evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from fulldress.facts import MASK, AnyFact, Evidence, excerpt
from fulldress.package.reader import Package
from fulldress.package.scripts.events import AnyEvent, Call, Event
from fulldress.package.scripts.grounds import Grounds
from fulldress.package.scripts.values import show

#: Characters beyond what is shown that are looked at for secrets; all of a line of 100 kB would be masked for each fact.
_MARGIN = 4000


class Context:
    """The package, the clock, and the secrets found so far, which no fact may show."""

    def __init__(self, package: Package, at: datetime, zone: ZoneInfo) -> None:
        self.package = package
        self.at = at
        self.zone = zone
        self.secrets: set[str] = set()
        self._longest_first: list[str] = []
        self._told: tuple[Event | None, int, Evidence | None] = None, 0, None  #: evidence of the last event

    @cached_property
    def grounds(self) -> Grounds:
        return Grounds(self.package)

    def words(self, text: str, limit: int = 160) -> str:
        """``text`` with holes written as the shell does, secrets masked, and shortened."""
        return excerpt(self.scrubbed(show(text)[: limit + _MARGIN]), limit)

    def command(self, call: Call, limit: int = 160) -> str:
        """The command as a person reads it."""
        return self.words(" ".join(_quoted(word) for word in call.words), limit)

    def evidence(self, event: Event, text: str = "") -> Evidence:
        if not text and self._told[0] is event and self._told[1] == len(self.secrets) and self._told[2] is not None:
            return self._told[2]
        found = event.member.evidence(event.line, text=self.scrubbed(show(text or event.text)[:_MARGIN]))
        if not text:
            self._told = event, len(self.secrets), found
        return found

    def scrubbed(self, text: str) -> str:
        if len(self._longest_first) != len(self.secrets):
            self._longest_first = sorted(self.secrets, key=len, reverse=True)
        for secret in self._longest_first:
            text = text.replace(secret, MASK)
        return text


def _quoted(word: str) -> str:
    return f"'{word}'" if not word or any(mark in word for mark in " \t\n;|&<>") else word


Rule = Callable[[AnyEvent, Context], Iterator[AnyFact]]


def option(words: tuple[str, ...], *names: str) -> str:
    """The value of the first of these options: ``-h db``, ``-hdb`` (one letter), ``--host db``, ``--host=db``."""
    for index, word in enumerate(words):
        for name in names:
            if word == name:
                return words[index + 1] if index + 1 < len(words) else ""
            if name.startswith("--"):
                if word.startswith(name + "="):
                    return word[len(name) + 1 :]
            elif len(name) == 2 and word.startswith(name) and not word.startswith("--") and len(word) > 2:
                return word[2:].removeprefix("=")
    return ""


def operands(words: tuple[str, ...], with_value: str = "", long_with_value: frozenset[str] = frozenset()) -> list[str]:
    """The words that are no options and no options' values. ``with_value``: letters of options that take a word."""
    found: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return [*found, *words[index + 1 :]]
        if word.startswith("--"):
            index += 2 if word[2:] in long_with_value else 1
        elif word.startswith("-") and len(word) > 1:
            index += 2 if word[-1] in with_value else 1
        else:
            found.append(word)
            index += 1
    return found

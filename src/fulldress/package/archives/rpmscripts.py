"""The scriptlets and triggers of an RPM: what they are called, when they run, and with which first argument.

Sources: rpm's manual, "Scriptlets", "Triggers" and "File Triggers"; ``rpmbuild``'s names of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import msgspec

from fulldress.package.archives.rpmheader import Header, Headers


class Scriptlet(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of scriptlet. ``first`` is its ``$1`` when one release replaces another; empty where it does not run then."""

    script: int  #: tag of its text
    program: int  #: tag of its interpreter
    when: str
    first: str = ""


#: By the name of the member below ``.scriptlets/``. Those of the *old* package that run in an upgrade from it are in this
#: package too; what stands here is what the *next* upgrade runs, and what a removal runs.
SCRIPTLETS: dict[str, Scriptlet] = {
    "pretrans": Scriptlet(script=1151, program=1153, when="before the whole transaction", first="2"),
    "pre": Scriptlet(script=1023, program=1085, when="before its files are placed", first="2"),
    "post": Scriptlet(script=1024, program=1086, when="after its files are placed", first="2"),
    "preun": Scriptlet(script=1025, program=1087, when="before the old release's files go", first="1"),
    "postun": Scriptlet(script=1026, program=1088, when="after the old release's files went", first="1"),
    "posttrans": Scriptlet(script=1152, program=1154, when="after the whole transaction", first="2"),
    "preuntrans": Scriptlet(script=5103, program=5105, when="before a transaction that removes it", first="1"),
    "postuntrans": Scriptlet(script=5104, program=5106, when="after a transaction that removed it", first="1"),
    "verify": Scriptlet(script=1079, program=1091, when="when somebody runs rpm --verify"),
}
#: name, tags of the texts, interpreters, names of packages or folders, and of the script that each name starts
_TRIGGERS: tuple[tuple[str, int, int, int, int, int], ...] = (
    ("trigger", 1065, 1092, 1066, 1069, 1068),
    ("filetrigger", 5066, 5067, 5069, 5070, 5072),
    ("transfiletrigger", 5076, 5077, 5079, 5080, 5082),
)
_SENSES = {1 << 16: "in", 1 << 17: "un", 1 << 18: "postun", 1 << 25: "prein"}
_MOST = 2000  #: triggers of one package


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A scriptlet as a member; ``gap`` says why nobody reads it."""

    name: str
    text: str
    gap: str = ""


def scripts(headers: Headers) -> Iterator[Script]:
    """All scriptlets and triggers, with their interpreter as first line."""
    main = headers.main
    for name, kind in SCRIPTLETS.items():
        program = main.texts(kind.program)
        if main.text(kind.script) or program:
            yield _script(name, program or ("/bin/sh",), main.text(kind.script), "")
    for name, text, interpreter, names, index, flags in _TRIGGERS:
        yield from _triggers(main, name, text, interpreter, names, index, flags)


def _triggers(main: Header, name: str, text: int, program: int, names: int, index: int, flags: int) -> Iterator[Script]:
    programs = main.texts(program)
    for number, body in enumerate(itertools.islice(main.texts(text), _MOST)):
        rows = [at for at, which in enumerate(main.numbers(index)) if which == number]
        on = [main.texts(names)[at] for at in rows if at < len(main.texts(names))]
        bits = [main.numbers(flags)[at] for at in rows if at < len(main.numbers(flags))]
        sense = next((word for bit, word in _SENSES.items() if bits and bits[0] & bit), "")
        interpreter = programs[number] if number < len(programs) else "/bin/sh"
        about = f"# runs when this changes: {' '.join(' '.join(on).split())}\n" if on else ""
        yield _script(f"{name}{sense}-{number + 1}", tuple(interpreter.split()) or ("/bin/sh",), body, about)


def _script(name: str, program: tuple[str, ...], body: str, about: str) -> Script:
    words = " ".join(" ".join(word.split()) for word in program)
    if program[0] == "<lua>":
        gap = "it is written in Lua, which rpm itself runs and fulldress does not read" if body.strip() else ""
        return Script(name=f"{name}.lua", text=body, gap=gap)
    if not body.strip():  # %post -p /sbin/ldconfig: the program is the script
        return Script(name=name, text=f"#!/bin/sh\n{about}{words}\n")
    body = body if body.endswith("\n") else body + "\n"
    if body.startswith("#!"):
        body = re.sub(r"\A#![^\n]*\n", "", body)
    return Script(name=name, text=f"#!{words}\n{about}{body}")

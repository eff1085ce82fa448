"""Places where a script waits for a person, and software that it fetches by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Command, Looseness, Requirement, Witness
from fulldress.package.scripts.events import AnyEvent, Call
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import is_constant, show

_DIALOGS = frozenset({"dialog", "whiptail", "zenity", "kdialog", "Xdialog", "gdialog"})
_EDITORS = frozenset({"vi", "vim", "nano", "emacs", "visudo", "vipw", "dpkg-reconfigure"})
#: Installer -> words that ask it to install, options that take a value.
_INSTALLERS: dict[str, tuple[tuple[str, ...], str]] = {
    "apt-get": (("install",), "toc"), "apt": (("install",), "toc"), "aptitude": (("install",), "toc"), "yum": (("install", "localinstall"), "cx"),
    "dnf": (("install",), "cx"), "microdnf": (("install",), "cx"), "zypper": (("install", "in"), "r"), "apk": (("add",), "tX"), "pacman": (("-S", "-Sy"), ""),
    "pip": (("install",), "rcitfe"), "pip3": (("install",), "rcitfe"), "npm": (("install", "i", "add"), ""), "yarn": (("add", "global"), ""),
    "gem": (("install",), "vis"), "snap": (("install",), ""), "brew": (("install",), ""), "cargo": (("install",), ""), "go": (("install", "get"), ""),
    "choco": (("install",), ""),
}  # fmt: skip


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    if not isinstance(event, Call):
        return
    note = _waits(event)
    if note:
        yield Command(
            witness=Witness.READ,
            evidence=context.evidence(event),
            argv=tuple(context.words(word) for word in event.words[:8]),
            note=note,
        )
    for component, constraint, looseness in _wanted(event):
        yield Requirement(
            witness=Witness.READ,
            evidence=context.evidence(event),
            component=component,
            constraint=constraint,
            looseness=looseness,
        )


def _waits(call: Call) -> str:
    name, words = call.name, call.arguments
    if name == "read":
        prompt = option(words, "-p")
        timeout = any(re.match(r"-[a-z]*t", word) for word in words)
        if call.fed and not prompt:
            return ""
        if any(re.match(r"-[a-z]*u", word) for word in words) or (call.fed and not timeout and not prompt):
            return ""
        return "asks and goes on after a time" if timeout else "waits for an answer"
    if name == "select":
        return "" if call.fed else "waits for an answer"
    if name in _DIALOGS:
        return "shows a dialog and waits"
    if name in _EDITORS and not (name == "visudo" and "-c" in "".join(words)):
        return (
            ""
            if name == "dpkg-reconfigure" and any("noninteractive" in word for word in words)
            else "opens an editor or a dialog"
        )
    if name in ("apt-get", "apt", "aptitude", "yum", "dnf", "zypper"):
        asks = any(
            word in ("install", "remove", "purge", "upgrade", "dist-upgrade", "full-upgrade", "update")
            for word in words
        )
        asks = asks and not (name in ("apt-get", "apt", "aptitude") and "update" in words)
        sure = any(
            re.match(r"-[a-zA-Z]*y|--(yes|assume-yes|assumeyes|non-interactive|quiet=2)|-qq", word) for word in words
        )
        sure = sure or any(word in ("-n", "-s", "--simulate", "--dry-run", "-d") for word in words)
        return "asks for a yes" if asks and not sure and not call.fed else ""
    if name == "passwd" and "--stdin" not in words and not any(word.startswith("-") for word in words) and not call.fed:
        return "waits for a password"
    return ""


def _wanted(call: Call) -> Iterator[tuple[str, str, Looseness]]:
    name, words = call.name, call.arguments
    if name in ("python", "python3") and words[:2] == ("-m", "pip"):
        name, words = "pip", words[2:]
    if name not in _INSTALLERS:
        return
    verbs, values = _INSTALLERS[name]
    plain = operands(
        words, values, frozenset({"index-url", "extra-index-url", "requirement", "target", "prefix", "registry"})
    )
    if not (plain[:1] and plain[0] in verbs) and not (words[:1] and words[0] in verbs):
        return
    for word in plain[1:] if plain[:1] and plain[0] in verbs else plain:
        if not is_constant(word) or "/" in word.removeprefix("@") or word.startswith((".", "~")) or "://" in word:
            continue
        match = re.fullmatch(r"(@?[\w.+:\-]+?)(?:\[[^\]]*\])?((?:[=<>~!^]=?|@).*)?", word)
        if not match or not re.match(r"@?[A-Za-z0-9]", match[1]):
            continue
        constraint = show(match[2] or "")
        yield match[1], constraint, _looseness(constraint)


def _looseness(constraint: str) -> Looseness:
    if not constraint or constraint in ("=*", "@*"):
        return Looseness.ANY
    if re.fullmatch(r"@(latest|next|main|master|stable|edge)", constraint):
        return Looseness.FLOATING
    if re.fullmatch(r"(={1,3}|@)v?\d[\w.+:~\-]*", constraint):
        return Looseness.EXACT
    return (
        Looseness.BOUNDED if "<" in constraint or constraint.startswith(("~", "^", "@~", "@^")) else Looseness.UNBOUNDED
    )

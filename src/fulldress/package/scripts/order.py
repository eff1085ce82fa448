"""What shows in the order of a script's events: a step that relies on an earlier one of which nobody knows that it worked."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence

from fulldress.facts import AnyFact, Hazard
from fulldress.package.scripts import exits, locks, services
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.files import saved
from fulldress.package.scripts.hazards import hazard
from fulldress.package.scripts.maintainer import ways
from fulldress.package.scripts.rule import Context, operands
from fulldress.package.scripts.values import HERE, TEMPORARY, is_constant, show
from fulldress.package.scripts.windowswords import name_of
from fulldress.package.scripts.wrappers import SHELLS
from fulldress.patterns import regex

#: Commands of which it hurts nobody if they fail between stop and start.
_HARMLESS = frozenset(
    [
        "echo",
        "printf",
        "sleep",
        "log",
        "logger",
        "cd",
        "true",
        ":",
        "test",
        "[",
        "export",
        "set",
        "shift",
        "date",
        "cat",
        "trap",
        "wait",
        "local",
        "return",
        "exit",
        "umask",
        "pwd",
        "sudo",
        "env",
        "nice",
        "nohup",
        "timeout",
        "command",
        "exec",
        "systemctl",
        "service",
        "invoke-rc.d",
        "deb-systemd-invoke",
        "deb-systemd-helper",
        "supervisorctl",
        "docker",
        "podman",
        "read",
        "basename",
        "dirname",
        "id",
        "whoami",
        "hostname",
        "uname",
        "which",
        "tee",
        "grep",
    ]
)
_CHECKS = regex(
    r"^(?:sha\d*sum|md5sum|shasum|b2sum|cksum|gpgv?2?|cosign|minisign|signify|rpmkeys|slsa-verifier|get-filehash|get-authenticodesignature|signtool)$"
)
#: How other languages make a digest, or look at a signature.
_DIGESTS = regex(
    r"\bhashlib\.|\bcreateHash\(|\bDigest::(?:SHA|MD5)|(?i:\bcertutil\b.*-hashfile\b|\[System\.Security\.Cryptography\.SHA)"
)
_COPIES = frozenset({"cp", "tar", "rsync", "zip", "pg_dump", "mysqldump", "mariadb-dump", "mongodump"})
#: Files in between, which are there to be deleted.
_SCRATCH = regex(r"@temporary|(?i:tmp|temp\b)")
_STOPS, _STARTS = ("stop",), ("start", "restart", "try-restart", "reload-or-restart", "force-restart")


def facts(events: Sequence[AnyEvent], context: Context) -> Iterator[AnyFact]:
    """``events`` are those of one script, in their order."""
    calls = [event for event in events if isinstance(event, Call)]
    if not (events and ways(events[0].member)):  # a package manager tells that a maintainer script failed
        yield from _stopped(calls, context)
    yield from _not_reached(events, context)
    yield from _lost(calls, context)
    yield from _downloaded(calls, context)
    yield from _temporary(events, context)
    yield from locks.facts(events, context)
    yield from exits.facts(events, context)


def _stopped(calls: list[Call], context: Context) -> Iterator[Hazard]:
    """``set -e``; stop; a step that may fail; start: a failure leaves the service stopped."""
    down: dict[str, int] = {}
    risky = [index for index, call in enumerate(calls) if call.errexit and not call.handled and _may_fail(call)]
    for index, call in enumerate(calls):
        if call.name == "trap" and set(call.arguments[1:]) & {"EXIT", "ERR", "0"}:
            return  # somebody thought of it
        for unit, action in services.restarts(call):
            if action in _STOPS:
                down.setdefault(unit, index)
            elif action in _STARTS and unit in down:
                at = bisect.bisect_right(risky, down.pop(unit))
                if at < len(risky) and risky[at] < index:
                    step = calls[risky[at]]
                    yield hazard(
                        step,
                        context,
                        "stopped on failure",
                        show(unit).removesuffix(".service"),
                        f"set -e ends the script where {show(step.name)} fails; the start in line {call.line} is not reached",
                    )


def _may_fail(call: Call) -> bool:
    letters = "".join(word for word in call.arguments if re.match(r"-\w", word))
    return call.name not in _HARMLESS and not (call.name in ("rm", "mkdir") and re.search(r"[fp]", letters))


def _not_reached(events: Sequence[AnyEvent], context: Context) -> Iterator[Hazard]:
    """``cd X`` that may fail, then a deletion or a move by a relative path."""
    entered: Call | None = None
    for event in events:
        if not isinstance(event, Call):
            continue
        if event.name in ("cd", "pushd"):
            target = event.arguments[0] if event.arguments else ""
            sure = (
                event.handled not in ("", "swallowed")
                or (event.errexit and not event.handled)
                or target in ("", "/", "-", "/tmp", "..")  # noqa: S108 - a name in a script
                or target.startswith((HERE, TEMPORARY))
            )
            entered = None if sure else event
            continue
        if entered is None:
            continue
        paths = [path for path in operands(event.arguments) if _relative(path)]
        deletes = event.name in ("rm", "mv", "shred") or (event.name == "find" and "-delete" in event.arguments)
        if deletes and paths and event.member is entered.member:
            yield hazard(
                event,
                context,
                "folder not reached",
                " ".join(show(word) for word in event.words),
                f"if cd {show(entered.arguments[0])} in line {entered.line} fails, this happens in the folder before it",
            )
            entered = None


def _relative(path: str) -> bool:
    return is_constant(path[:1]) and not path.startswith(("/", "~", "-"))


def _lost(calls: list[Call], context: Context) -> Iterator[Hazard]:
    """A copy that may have failed, and its original deleted right after."""
    for index, call in enumerate(calls):
        if call.name not in _COPIES or call.handled not in ("", "swallowed") or (call.errexit and not call.handled):
            continue
        sources = {path.rstrip("/") for path in operands(call.arguments, "f" if call.name == "tar" else "")[:-1]}
        if call.name == "tar":
            sources = {path.rstrip("/") for path in call.arguments if not path.startswith("-")}
        for after in calls[index + 1 : index + 4]:
            gone = (
                {path.rstrip("/").removesuffix("/*") for path in operands(after.arguments)}
                if after.name == "rm"
                else set()
            )
            whole = call.name != "cp" or any(re.match(r"-\w*[rR]|--recursive", word) for word in after.arguments)
            hit = sorted(path for path in gone & sources if path and whole and not _SCRATCH.search(path))
            if hit and after.member is call.member:
                yield hazard(
                    after,
                    context,
                    "original lost",
                    show(hit[0]),
                    f"nothing checks that {show(call.name)} in line {call.line} worked before the original is deleted",
                )
                break


def _downloaded(calls: list[Call], context: Context) -> Iterator[Hazard]:
    """A file fetched from the network and run, with nothing that checks it."""
    if any(_CHECKS.match(name_of(call)) or (call.name == "openssl" and "dgst" in call.arguments) for call in calls):
        return
    if calls and _DIGESTS.search(calls[0].member.text):
        return
    fetched: dict[str, tuple[Call, str]] = {}
    for call in calls:
        for path, address in _fetches(call):
            fetched[path] = call, address
        for path in _runs(call):
            if path in fetched:
                source, address = fetched.pop(path)
                plain = ", over plain http" if address.startswith(("http:", "ftp:")) else ""
                yield hazard(
                    call,
                    context,
                    "unchecked download",
                    show(path),
                    f"fetched in line {source.line} from {show(address)}{plain}; no checksum and no signature is checked",
                )


def _fetches(call: Call) -> Iterator[tuple[str, str]]:
    address = next((word for word in call.arguments if re.match(r"(?:https?|ftp)://", word)), "")
    windows = name_of(call) in ("bitsadmin", "certutil")  # their last word is the file
    if (call.name not in ("curl", "wget", "aria2c", "fetch") and not windows) or not address:
        return
    path = call.arguments[-1] if windows else saved(call.name, call.arguments)
    if not path and (call.name == "wget" or any(re.fullmatch(r"-\w*O|--remote-name", word) for word in call.arguments)):
        path = address.partition("?")[0].rsplit("/", 1)[-1]
    if path and path not in ("-", "/dev/null"):
        yield path.removeprefix("./"), address


def _runs(call: Call) -> Iterator[str]:
    """Files that the call runs or installs."""
    plain = operands(call.arguments)
    if call.name in SHELLS | {"python", "python3", "perl", "node", "php", "ruby", ".", "source"} and plain:
        yield plain[0].removeprefix("./")
    elif name_of(call) in ("dpkg", "rpm", "apt-get", "apt", "yum", "dnf", "pip", "pip3", "gdebi", "msiexec", "wusa"):
        yield from (path.removeprefix("./") for path in plain)
    elif "/" in call.words[0]:
        yield call.words[0].removeprefix("./")


def _temporary(events: Sequence[AnyEvent], context: Context) -> Iterator[Hazard]:
    """A file in /tmp whose name anybody can guess, written first and then run or sourced."""
    wrote: dict[str, AnyEvent] = {}
    for event in events:
        if (
            isinstance(event, Write)
            and re.fullmatch(r"/(?:var/)?tmp/[^/]+", show(event.path))
            and is_constant(event.path)
        ):
            wrote.setdefault(event.path, event)
        elif isinstance(event, Call):
            for path in _runs(event):
                if path in wrote:
                    first = wrote.pop(path)
                    yield hazard(
                        event,
                        context,
                        "predictable temporary file",
                        show(path),
                        f"written in line {first.line}: whoever made a file or link of that name before has his own run",
                    )

"""Files that a script creates, changes and deletes, and how far a deletion reaches."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from fulldress.facts import AnyFact, FileEffect, Witness
from fulldress.package.scripts.events import AnyEvent, Call, Event, Write
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import HERE, TEMPORARY, holes, is_constant, is_full, show, without
from fulldress.patterns import regex

#: Folders of which the loss is felt by others than the product.
_SHARED = regex(r"/(?:bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|s?bin|srv|sys|tmp|usr|var)?(?:/\*)?")
_SHARED_BELOW = regex(
    r"/(?:etc/(?:systemd(?:/system)?|cron\.\w+|init\.d|ssl|ssh|pam\.d|sudoers\.d|apt|nginx|apache2)|"
    r"usr/(?:local|bin|sbin|lib|share|local/(?:bin|lib|share|etc))|"
    r"var/(?:lib|log|cache|spool|www|mail|run|tmp|backups|lib/(?:dpkg|apt|rpm|postgresql|mysql|docker))|home/\w+)(?:/\*)?"
)


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    for path, action, detail in _effects(event):
        if not _counts(path):
            continue
        yield FileEffect(
            witness=Witness.READ,
            evidence=context.evidence(event),
            path=context.words(path, 300),
            action=action,
            detail=context.words(detail, 300),
            outside=not _by_helper(event) and context.grounds.outside(path),
        )


def _by_helper(event: AnyEvent) -> bool:
    """Whether dpkg's helper acts upon what an older version of the package brought."""
    return isinstance(event, Call) and event.name == "dpkg-maintscript-helper"


def _crontab(event: Call, plain: list[str]) -> Iterator[tuple[str, str, str]]:
    """``crontab FILE`` replaces whatever the user had; a script that reads ``crontab -l`` before is taken to keep it."""
    words = event.arguments
    letters = "".join(word for word in words if re.match(r"-[a-z]", word))
    spool = f"/var/spool/cron/crontabs/{show(option(words, '-u')) or 'root'}"
    if "l" in letters or "e" in letters:
        return
    if "r" in letters:
        yield spool, "delete", "the whole crontab"
    elif (plain or event.fed) and not re.search(r"\bcrontab\b[^\n|;&]*\s-l\b", event.member.text):
        yield spool, "change", "the whole crontab is replaced"


def _counts(path: str) -> bool:
    """Absolute paths, and those that begin with something unknown; not scratch space, devices and the script's folder."""
    if not path or path.startswith((HERE, TEMPORARY, "-")) or TEMPORARY in path:
        return False
    if re.match(r"/(tmp|var/tmp|dev|proc|sys|run/lock)(/|$)", path):
        return False
    return path.startswith(("/", "~")) or bool(holes(path) and not is_constant(path[:1]))


def _is_link(event: Call, word: str) -> bool:
    """Whether the lines before ask ``-L`` of the very word that is deleted here, and nothing but that."""
    before = event.member.text.splitlines()[max(0, event.line - 6) : event.line]
    asked = re.compile(r"(?<!!)(?:^|\s)-[Lh]\s+" + re.escape(word) + r"(?=[\s;\])]|$)")
    return word not in ("", "/") and any(asked.search(row) for row in before)


def _is_itself(event: Write) -> bool:
    """Whether it is a file of the payload that acts where it stands (:mod:`.standing`): the entry says that it is brought."""
    return f"/{event.member.path}".endswith(event.path) and event.text in (event.content or "").splitlines()


_OTHERS = frozenset({"rmdir", "mkdir", "find", "install", "truncate"})


def _effects(event: AnyEvent) -> Iterator[tuple[str, str, str]]:
    if isinstance(event, Write):
        if _is_itself(event):
            return
        path = place(event, event.path)
        if (path.startswith(("/", "~")) or holes(path)) and not path.startswith(("/dev/tcp", "/dev/udp")):
            yield path, "change" if event.append else "create", "appends to it" if event.append else ""
        return
    if not isinstance(event, Call):
        return
    name, words = event.name, event.arguments
    if event.member.kind == "batch" and name in _OTHERS:
        return  # a command of cmd.exe with the name of another here: rules for Windows know it
    values = {
        "install": "mogtS",
        "cp": "tS",
        "mv": "tS",
        "truncate": "s",
        "ln": "tS",
        "crontab": "u",
        "mkdir": "m",
        "sed": "efl",
    }
    plain = [place(event, path) for path in operands(words, values.get(name, ""), _LONG)]
    recursive = any(re.match(r"-[a-zA-Z]*[rR]", word) or word == "--recursive" for word in words)
    if name in ("rm", "unlink", "shred", "srm"):
        raw = operands(tuple(event.text.split()[1:]))
        for number, path in enumerate(plain):
            link = not recursive and number < len(raw) and _is_link(event, raw[number])
            yield path, "delete", "a link" if link else _reach(event, path, recursive)
    elif name == "crontab":
        yield from _crontab(event, plain)
    elif name == "dpkg-maintscript-helper" and event.member.name == "postinst":  # the same words stand in all four
        yield from _maintained(words)
    elif name == "dpkg-statoverride" and "--add" in words and len(plain) > 3:
        yield plain[3], "mode", f"{show(plain[0])}:{show(plain[1])} {show(plain[2])}, as dpkg keeps it"
    elif name == "ucf" and len(plain) > 1 and "-p" not in words and "--purge" not in words:
        yield plain[1], "change", "ucf puts the package's new text there, and asks where it was changed by hand"
    elif name == "dd" and (target := next((w[3:] for w in words if w.startswith("of=")), "")):
        yield (
            target,
            "change",
            f"overwritten from {show(next((w[3:] for w in words if w.startswith('if=')), 'its input'))}",
        )
    elif name in ("curl", "wget") and (target := saved(name, words)):
        yield place(event, target), "create", "downloaded"
    elif name == "unzip" and (folder := option(words, "-d")):
        yield folder, "change", "an archive is unpacked into it"
    elif name == "rmdir":
        yield from ((path, "delete", "if it is empty") for path in plain)
    elif name == "find" and ("-delete" in words or "rm" in words):
        for path in plain[: _first_test(words)]:
            yield path, "delete", _found_files(event, path)
    elif name in ("cp", "install", "mv", "ln") and plain:
        yield from _placed(event, name, words, plain)
    elif name == "mkdir":
        yield from ((path, "create", "folder") for path in plain)
    elif name in ("chmod", "chown", "chgrp") and len(plain) > 1:
        action = "mode" if name == "chmod" else "owner"
        how = show(plain[0]) + (", all below it" if recursive else "")
        for path in plain[1:]:
            yield path, action, f"{how}; {_reach(event, path, recursive)}" if _danger(event, path) else how
    elif name in ("sed", "perl") and any(re.match(r"(-[a-zA-Z]*i|--in-place)", word) for word in words):
        targets = plain if any(word in ("-e", "-f") or word.startswith("--expression") for word in words) else plain[1:]
        yield from ((path, "change", "edited in place") for path in targets if "/" in path)
    elif name == "truncate":
        yield from ((path, "change", f"cut to {option(words, '-s', '--size') or 'a size'}") for path in plain)
    elif name == "touch":
        yield from ((path, "create", "") for path in plain)
    elif name == "dd" and (target := next((word[3:] for word in words if word.startswith("of=")), "")):
        yield target, "change", "overwritten by dd"
    elif re.match(r"mkfs(\.|$)|wipefs$|mkswap$", name) and plain:
        yield from ((path, "change", "a new, empty file system") for path in plain[-1:])
    elif name == "tar" and (folder := option(words, "-C", "--directory")) and any("x" in word for word in words[:1]):
        yield folder, "change", "an archive is unpacked into it"
    elif name in ("update-alternatives", "dpkg-divert") and len(plain) > 1 and "--remove" not in words:
        target = next((path for path in plain if path.startswith("/")), "")
        yield target, "link" if name == "update-alternatives" else "change", name
    elif name == "rsync" and any(word.startswith("--del") for word in words) and plain:
        yield plain[-1], "delete", "what the source does not have"


#: Long options whose value is the next word.
_LONG = frozenset({"mode", "owner", "group", "target-directory", "suffix", "backup", "context", "size", "reference"})


def place(event: Event, path: str) -> str:
    """A path as the host knows it: a relative one below the folder that the script went to."""
    if event.folder and path and is_constant(path[:1]) and not path.startswith(("/", "~", "-")):
        return f"{event.folder.rstrip('/')}/{path.removeprefix('./')}"
    return path


def saved(name: str, words: tuple[str, ...]) -> str:
    """Where curl or wget puts what it fetches, also as the last of letters that stand together: ``-fsSLo FILE``."""
    letter, long = ("o", "--output") if name == "curl" else ("O", "--output-document")
    joined = next((w for v, w in pairwise(words) if re.fullmatch(rf"-[a-zA-Z#]*{letter}", v)), "")
    target = joined or option(words, f"-{letter}", long)
    return "" if target in ("-", "/dev/null") else target


def _maintained(words: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """dpkg-maintscript-helper(1); each is called from three scripts with the same words, and told once."""
    own = operands(words[: words.index("--")] if "--" in words else words)
    action = own[0] if own else ""
    if action == "rm_conffile" and len(own) > 1:
        yield own[1], "delete", f"an old conffile{_before(own, 2)}; kept as .dpkg-bak where it was changed by hand"
    elif action == "mv_conffile" and len(own) > 2:
        yield own[1], "delete", f"moved to {show(own[2])}{_before(own, 3)}"
        yield own[2], "create", f"from {show(own[1])}"
    elif action == "symlink_to_dir" and len(own) > 2:
        yield own[1], "change", f"a link becomes a folder{_before(own, 3)}"
    elif action == "dir_to_symlink" and len(own) > 2:
        yield own[1], "link", f"a folder becomes a link to {show(own[2])}{_before(own, 3)}"


def _before(words: list[str], index: int) -> str:
    version = words[index] if len(words) > index else ""
    return f", where the old version is {show(version)} or older" if version else ""


def _placed(event: Event, name: str, words: tuple[str, ...], plain: list[str]) -> Iterator[tuple[str, str, str]]:
    folder = option(words, "-t", "--target-directory")
    if name == "install" and any(re.fullmatch(r"-[a-zA-Z]*d", word) or word == "--directory" for word in words):
        yield from ((path, "create", "folder") for path in plain)
        return
    target = (folder and place(event, folder)) or (plain[-1] if len(plain) > 1 else "")
    sources = plain if folder else plain[:-1]
    if not target:
        return
    action = "link" if name == "ln" else "create"
    for source in sources:
        file = source.rstrip("/").rsplit("/", 1)[-1]
        path = f"{target.rstrip('/')}/{file}" if folder or target.endswith("/") or len(sources) > 1 else target
        yield path, action, f"from {show(source)}" if name != "ln" else f"to {show(source)}"
        if name == "mv":
            yield source, "delete", f"moved to {show(path)}"


def _first_test(words: tuple[str, ...]) -> int:
    return next((index for index, word in enumerate(words) if word.startswith(("-", "(", "!"))), len(words))


def _found_files(call: Call, path: str) -> str:
    if "-empty" in call.arguments:
        return "if it is empty"
    tests = " ".join(show(word) for word in call.arguments[1:])
    reach = _reach(call, path, True)
    return f"files found by {tests}" + (f"; {reach}" if "may be empty" in reach or "shared" in reach else "")


def _danger(event: Event, path: str) -> bool:
    return "would reach" in _reach(event, path, True) or "shared" in _reach(event, path, True)


def _reach(event: Event, path: str, recursive: bool) -> str:
    """How far a deletion goes, in words; what it would reach if an unknown part of the path is empty."""
    words = "it and all below it" if recursive else ""
    unsure = [name for name in holes(path) if not _is_sure(event, name)]
    if unsure and recursive:
        bare = posixpath.normpath("/" + without(path).lstrip("/")) if without(path) else ""
        bare = bare + "/*" if path.endswith("/*") and not bare.endswith("/*") else bare
        if without(path).startswith("/") and (_SHARED.fullmatch(bare) or _SHARED_BELOW.fullmatch(bare)):
            names = " and ".join(dict.fromkeys(show(f"\ue000{name}\ue001") for name in unsure))
            how = "" if not event.nounset else ", though set -u stops at an unset one"
            return f"{words}; {names} may be empty{how}: would reach {bare}"
    if is_constant(path) and recursive and path.startswith("/"):
        plain = posixpath.normpath(path)
        if _SHARED.fullmatch(plain) or _SHARED_BELOW.fullmatch(plain):
            return f"{words}; a folder shared with others"
    return words


def _is_sure(event: Event, name: str) -> bool:
    """Whether a hole is known not to be empty: tested before, or made of more than one variable could lack."""
    return (
        name in event.sure
        or name.startswith(("@", "<("))
        or is_full(name)
        or name in ("HOME", "PWD", "#", "?", "!", "$", "RANDOM", "UID")
    )

"""Variables of batch files: ``%X%``, ``!X!``, ``%X:a=b%``, ``%X:~1,2%``, arguments, loop variables."""

from __future__ import annotations

import re

from fulldress.package.reader import Member
from fulldress.package.scripts.follower import Follower, Trail
from fulldress.package.scripts.values import HERE, hole, is_constant
from fulldress.patterns import regex

_PERCENT = regex(
    r"%(?P<tilde>~[a-z]*)?(?P<arg>\d)|%(?P<all>\*)|%%(?P<loop>~?[a-z$:]*)(?=[\W_]|$)|%(?P<name>[^%\s:~*\d][^%:\n]*)(?P<cut>:[^%\n]*)?%"
    r"|!(?P<late>[^!\s:]+)(?P<latecut>:[^!\n]*)?!",
    re.I,
)


class Values(Follower):
    """A follower that fills in what cmd.exe would."""

    def __init__(self, trail: Trail, member: Member, offset: int) -> None:
        super().__init__(trail, member, offset)
        self.arguments: tuple[str, ...] | None = None

    def fill(self, text: str) -> str:
        """Variables, arguments and loop variables in their places; holes for what only a run would know."""
        return _PERCENT.sub(self._filled, text).replace(HERE + "\\\\", HERE + "\\")

    def _filled(self, match: re.Match[str]) -> str:
        if match["arg"]:
            return self._argument(match["arg"], match["tilde"] or "")
        if match["all"]:
            return " ".join(self.arguments) if self.arguments is not None else hole("%*")
        if match["loop"] is not None:
            modifiers, letter = match["loop"][:-1], match["loop"][-1:]
            value = self.names.get(f"%{letter}")
            return value if isinstance(value, str) and modifiers in ("", "~") else hole(f"%%{match['loop']}")
        name, cut = match["name"] or match["late"], match["cut"] or match["latecut"] or ""
        value = self.names.get(name.lower())
        if not isinstance(value, str):
            known = {"cd": HERE, "__cd__": HERE + "\\"}.get(name.lower())
            return known if known and not cut else hole(f"%{name}%")
        if not cut:
            return value
        return _cut(value, cut[1:]) if is_constant(value) else hole(f"%{name}{cut}%")

    def _argument(self, number: str, modifiers: str) -> str:
        if number == "0":
            if "n" in modifiers.lower() and "p" not in modifiers.lower():
                return self.member.name
            return HERE + "\\" if "p" in modifiers.lower() else self.member.name
        place = int(number) - 1
        if self.arguments is None:
            return hole(f"%{number}")
        value = self.arguments[place] if place < len(self.arguments) else ""
        return value.strip('"') if modifiers else value


def _cut(value: str, how: str) -> str:
    """``%X:old=new%`` and ``%X:~start,length%``."""
    if how.startswith("~"):
        match = re.fullmatch(r"~(-?\d+)(?:,(-?\d+))?", how)
        if not match:
            return hole(how)
        start = int(match[1]) if int(match[1]) >= 0 else max(0, len(value) + int(match[1]))
        length = match[2]
        end = len(value) if length is None else start + int(length) if int(length) >= 0 else len(value) + int(length)
        return value[start:end]
    old, equals, new = how.partition("=")
    if not equals or not old:
        return value
    return re.sub(re.escape(old.lstrip("*")), lambda _: new, value, flags=re.I)

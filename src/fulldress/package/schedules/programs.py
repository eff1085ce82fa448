"""Jobs that programs in JavaScript, Ruby, PHP and Go give themselves, where hour and library are written out.

Read by lines, not by syntax: only calls of a library that the file itself takes in, with the hour as a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package import telling
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import keys, lines
from fulldress.package.schedules.jobs import Clock, Found, facts
from fulldress.patterns import regex

_TEXT = r"""["'`]([^"'`\n$]{1,80})["'`]"""
_LIBRARY = regex(
    r"""(?:require\s*\(\s*|from\s+|import\s+)["'](node-cron|cron|node-schedule|croner|agenda|bull|bullmq|toad-scheduler|@nestjs/schedule)["']"""
)
_SCHEDULE = regex(rf"\b(\w+)\.(schedule|scheduleJob)\s*\(\s*(?:{_TEXT}\s*,\s*)?{_TEXT}\s*,\s*([\w.$]+)?")
_CRON_JOB = regex(rf"\bnew\s+(?:\w+\.)?(?:CronJob|Cron)\s*\(\s*{_TEXT}|\bCron\s*\(\s*{_TEXT}")
_OBJECT = regex(rf"\b(?:CronJob(?:\.from)?)\s*\(\s*\{{[^{{}}]*?\bcronTime\s*:\s*{_TEXT}", re.S)
_REPEAT = regex(rf"\brepeat\s*:\s*\{{[^{{}}]*?\b(?:cron|pattern)\s*:\s*{_TEXT}", re.S)
_AGENDA = regex(rf"\bagenda\.every\s*\(\s*{_TEXT}\s*,\s*{_TEXT}")
_NEST = regex(rf"@Cron\s*\(\s*{_TEXT}[^)]{{0,400}}\)[\s\S]{{0,200}}?\b(\w+)\s*\(")
_ZONE = regex(r"""\b(?:timezone|timeZone|tz)\s*:\s*["']([\w/+-]+)["']""")


_MAX_SIZE = 2 << 20


def _too_long(member: Member) -> Unread:
    return Unread(
        witness=Witness.READ, evidence=member.evidence(), what=f"the schedules of {member.name}", reason=Reason.BUDGET,
        detail=f"{member.size:,} bytes are too many for a program that sets hours", needed=True,
    )  # fmt: skip


def javascript(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """node-cron, cron, node-schedule, croner, agenda, bull and Nest."""
    if not telling.holds(package, member, telling.JAVASCRIPT_JOBS):
        return
    libraries = set(_LIBRARY.findall(member.text))
    if not libraries or not telling.holds(package, member, telling.JAVASCRIPT_HOURS):
        return
    if len(member.data) > _MAX_SIZE:
        yield _too_long(member)
        return
    text = re.sub(r"(?m)^[ \t]*(?://|\*).*$", "", member.text)
    for match in _SCHEDULE.finditer(text):
        library = "node-schedule" if match[2] == "scheduleJob" else "node-cron"
        if library in libraries:
            name = match[3] or match[5] or match[1]
            yield from _javascript(package, member, clock, text, match.start(), library, match[4], name)
    for pattern, library in ((_CRON_JOB, "cron"), (_OBJECT, "cron"), (_REPEAT, "bull")):
        for match in pattern.finditer(text):
            used = next((name for name in ("croner", library, "bullmq", "bull") if name in libraries), "")
            value = next((value for value in match.groups() if value), "")
            if used:
                yield from _javascript(package, member, clock, text, match.start(), used, value, member.name)
    for match in _AGENDA.finditer(text):
        yield from _javascript(package, member, clock, text, match.start(), "agenda", match[1], match[2])
    for match in _NEST.finditer(text):
        yield from _javascript(package, member, clock, text, match.start(), "@nestjs/schedule", match[1], match[2])


def _javascript(
    package: Package, member: Member, clock: Clock, text: str, at: int, library: str, expression: str, name: str
) -> Iterator[AnyFact]:
    words = len(expression.split())
    is_cron = words in (5, 6) and keys.dialect_of(expression) != ""
    if not is_cron and library != "agenda":
        return
    zone = _ZONE.search(text[at : at + 400])
    dialect = ("node-cron" if library == "node-cron" else "node") if is_cron else ""
    yield from facts(
        package,
        member,
        Found(
            line=lines.number(text, at), name=name, mechanism=library, expression=expression, dialect=dialect,
            zone=zone[1] if zone else "", script=member.path,
        ),
        clock,
    )  # fmt: skip


_ADD_JOB = regex(r"\baddJob\s{0,20}\(\s{0,200}\{")
_AT = regex(r"\bat\s{0,20}:\s{0,20}[\"'`]((?:[^\"'`{}\n$]|\$(?!\{)|\$\{[^{}\n]{0,80}\}){5,120})[\"'`]")


def _object(text: str, at: int) -> str:
    """What stands between the brace before ``at`` and the one that closes it, as far as it is short."""
    depth = 1
    for match in re.finditer(r"[{}]", text[at : at + 2000]):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return text[at : at + match.start()]
    return ""


def bree(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """Jobs handed to bree or a job manager on it: ``addJob({at: `${s} ${m} 3 * * *`, name: …, job: …})``."""
    if not telling.holds(package, member, telling.ADDED_JOBS):
        return
    if len(member.data) > _MAX_SIZE:
        if b"bree" in member.data:
            yield _too_long(member)
        return
    text = re.sub(r"(?m)^[ \t]*(?://|\*).*$", "", member.text)
    for match in _ADD_JOB.finditer(text):
        body = _object(text, match.end())
        when = _AT.search(body)
        drawn = re.sub(r"\$\{[^{}]*\}", "1", when[1]) if when else ""
        if when is None or keys.dialect_of(drawn) == "":
            continue
        named = re.search(r"\bname\s*:\s*[\"'`]([^\"'`\n$]+)", body)
        file = re.search(
            r"\bjob\s*:\s*[\w.]*\([^()]*?[\"'`]([^\"'`\n]+\.[cm]?js)[\"'`]|\bjob\s*:\s*[\"'`]([^\"'`\n]+)[\"'`]",
            body,
        )
        path = (file[1] or file[2]) if file else ""
        fixed = drawn == when[1]
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()),
                name=named[1] if named else (path.rsplit("/", 1)[-1] or member.name),
                mechanism="bree",
                expression=re.sub(r"\$\{[^{}]*\}", "…", when[1]),
                dialect="node" if fixed else "",
                command=path,
                script=_sibling(package, member, path),
                remarks=() if fixed else ("where … stands, the program draws the value when it starts",),
            ),
            clock,
        )


def _sibling(package: Package, member: Member, path: str) -> str:
    """A file named relative to the folder of ``member``, else ``member`` itself."""
    beside = f"{member.path.rsplit('/', 1)[0]}/{path.removeprefix('./')}" if path else ""
    return beside if beside in package.members else member.path


_EVERY = regex(r"(?m)^[ \t]*every\s*\(?\s*(?:(\d+)\.(minute|hour|day|week|month)s?|:(minute|hour|day|week|month|year)|['\"]([^'\"]+)['\"])\s*(?:,\s*:?at\s*(?:=>|:)?\s*['\"]([^'\"]+)['\"])?")  # fmt: skip
_TASK = regex(r"\b(runner|rake|command|script)\s*\(?\s*['\"]([^'\"\n]+)['\"]")


def ruby(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """``config/schedule.rb`` of whenever; ``clock.rb`` of clockwork."""
    if not re.search(r"(?:^|/)(?:config/)?(?:schedule|clock)\.rb$", member.path) or b"every" not in member.data:
        return
    text = member.text
    rows = text.split("\n")
    for match in _EVERY.finditer(text):
        line = lines.number(text, match.start() + len(match[0]) - len(match[0].lstrip()))
        body = []
        for row in rows[line : line + 20]:
            if re.match(r"\s*end\b", row):
                break
            body += [f"{kind} {words}" for kind, words in _TASK.findall(row)]
        amount, unit = match[1] or "1", match[2] or match[3]
        at = re.fullmatch(r"(\d{1,2}):(\d\d)\s*(am|pm)?", match[5] or "")
        hour = (int(at[1]) % 12 + (12 if at[3] == "pm" else 0) if at[3] else int(at[1])) if at else 0
        if match[4]:
            expression, dialect = match[4], "unix" if len(match[4].split()) == 5 else ""
        elif unit == "day" and amount == "1" and hour < 24:
            expression, dialect = f"{int(at[2]) if at else 0} {hour} * * *", "unix"
        else:
            expression, dialect = f"every {amount} {unit}" + (f" at {match[5]}" if match[5] else ""), ""
        for command in body or [""]:
            yield from facts(
                package,
                member,
                Found(
                    line=line, name=command.split(" ", 1)[-1][:80] or "job", mechanism="whenever", expression=expression,
                    dialect=dialect, command=command,
                ),
                clock,
            )  # fmt: skip


_LARAVEL = regex(
    r"(?:\$schedule->|\bSchedule::)(command|job|exec|call)\s*\(\s*(?:new\s+)?(?:['\"]([^'\"\n]*)['\"]|\[?\s*([\w\\:]+))?"
)
_RHYTHMS = {
    "everyMinute": "* * * * *", "everyTwoMinutes": "*/2 * * * *", "everyThreeMinutes": "*/3 * * * *", "everyFourMinutes": "*/4 * * * *",
    "everyFiveMinutes": "*/5 * * * *", "everyTenMinutes": "*/10 * * * *", "everyFifteenMinutes": "*/15 * * * *",
    "everyThirtyMinutes": "*/30 * * * *", "hourly": "0 * * * *", "everyTwoHours": "0 */2 * * *", "everyThreeHours": "0 */3 * * *",
    "everyFourHours": "0 */4 * * *", "everySixHours": "0 */6 * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 0",
    "monthly": "0 0 1 * *", "quarterly": "0 0 1 1-12/3 *", "yearly": "0 0 1 1 *", "twiceDaily": "0 1,13 * * *",
}  # fmt: skip


def php(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """Laravel's scheduler: ``$schedule->command('x')->dailyAt('03:00')``."""
    if b"$schedule->" not in member.data and b"Schedule::" not in member.data:
        return
    if b"Illuminate" not in member.data:
        return
    text = re.sub(r"(?m)^[ \t]*(?://|#|\*).*$", "", member.text)
    for match in _LARAVEL.finditer(text):
        chain = text[match.end() : match.end() + 1500].split(";", 1)[0]
        expression = _laravel(chain)
        if not expression:
            continue
        zone = re.search(r"->timezone\(\s*['\"]([\w/+-]+)['\"]", chain)
        what = match[2] or (match[3] or "closure").rsplit("\\", 1)[-1].removesuffix("::class")
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=what, mechanism="Laravel scheduler", expression=expression,
                dialect="unix", command=f"artisan {what}" if match[1] == "command" else what, script="", zone=zone[1] if zone else "",
                remarks=("runs as long as cron runs schedule:run every minute",),
            ),
            clock,
        )  # fmt: skip


def _laravel(chain: str) -> str:
    if match := re.search(r"->cron\(\s*['\"]([^'\"]+)['\"]", chain):
        return match[1]
    if match := re.search(r"->dailyAt\(\s*['\"](\d{1,2}):(\d\d)['\"]", chain):
        return f"{int(match[2])} {int(match[1])} * * *"
    if match := re.search(r"->weeklyOn\(\s*(\d)\s*(?:,\s*['\"](\d{1,2}):(\d\d)['\"])?", chain):
        return f"{int(match[3] or 0)} {int(match[2] or 0)} * * {match[1]}"
    if match := re.search(r"->monthlyOn\(\s*(\d{1,2})\s*(?:,\s*['\"](\d{1,2}):(\d\d)['\"])?", chain):
        return f"{int(match[3] or 0)} {int(match[2] or 0)} {match[1]} * *"
    if match := re.search(r"->hourlyAt\(\s*(\d{1,2})\s*\)", chain):
        return f"{match[1]} * * * *"
    for name, expression in _RHYTHMS.items():
        if re.search(rf"->{name}\(\s*\)", chain):
            if (at := re.search(r"->at\(\s*['\"](\d{1,2}):(\d\d)['\"]", chain)) and expression.startswith("0 0 "):
                return f"{int(at[2])} {int(at[1])} {expression[4:]}"
            return expression
    return ""


_GO = regex(r"\b\w+\.(?:AddFunc|AddJob)\s*\(\s*[\"`]([^\"`\n]{2,80})[\"`]\s*,\s*([\w.]+)?")


def go(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """``c.AddFunc("0 3 * * *", …)`` of robfig/cron in sources."""
    if b"robfig/cron" not in member.data:
        return
    with_seconds = b"WithSeconds()" in member.data or re.search(rb'robfig/cron"', member.data) is not None
    text = re.sub(r"(?m)^[ \t]*//.*$", "", member.text)
    for match in _GO.finditer(text):
        expression, zone = match[1], ""
        if found := re.match(r"(?:CRON_)?TZ=(\S+)\s+(.*)", expression):
            zone, expression = found[1], found[2]
        line = lines.number(text, match.start())
        plain = not expression.startswith("@every")
        if plain and not expression.startswith("@") and len(expression.split()) not in ((6,) if with_seconds else (5,)):
            plain = False
        yield from facts(
            package,
            member,
            Found(
                line=line, name=match[2] if match[2] and match[2] != "func" else member.name, mechanism="robfig/cron",
                expression=expression, dialect="robfig" if plain else "", zone=zone, script=member.path,
            ),
            clock,
        )  # fmt: skip


def sidekiq(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """Jobs of sidekiq-cron and sidekiq-scheduler in YAML: a ``cron`` (or ``every``) beside a ``class``."""
    if b"class" not in member.data or (b"cron" not in member.data and b"every" not in member.data):
        return
    text = member.text
    for row in re.finditer(r"(?m)^( +):?class:\s*[\"']?([\w:]+)[\"']?\s*$", text):
        block, begun = _block(text, row.start(), len(row[1]))
        cron = re.search(rf"(?m)^ {{{len(row[1])}}}:?(cron|every):\s*\[?[\"']?([^\"'\n,\]]+)", block)
        head = re.search(r":?[\"']?([\w .-]+?)[\"']?:\s*$", text[:begun].rstrip("\n").rsplit("\n", 1)[-1])
        if not cron:
            continue
        words = cron[2].split()
        zone = (
            words.pop()
            if cron[1] == "cron" and len(words) == 6 and "/" in words[-1] and words[-1][:1].isalpha()
            else ""
        )
        expression = " ".join(words)
        known = cron[1] == "cron" and keys.dialect_of(expression) == "unix"
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, begun + cron.start()), name=head[1] if head else row[2], mechanism="sidekiq",
                expression=expression if cron[1] == "cron" else f"every {expression}", dialect="unix" if known else "", command=row[2],
                zone=zone, script="",
            ),
            clock,
        )  # fmt: skip


def _block(text: str, at: int, indent: int) -> tuple[str, int]:
    """The rows around ``at`` that are indented as much or more, and where they begin."""
    begin = text.rfind("\n", 0, at) + 1
    while begin > 0 and at - begin < 4000:
        before = text.rfind("\n", 0, begin - 1) + 1
        row = text[before : begin - 1]
        if row.strip() and len(row) - len(row.lstrip()) < indent:
            break
        begin = before
    end = begin
    for row in text[begin : at + 4000].splitlines(keepends=True):
        if row.strip() and len(row) - len(row.lstrip()) < indent:
            break
        end += len(row)
    return text[begin:end], begin

"""The four-witness table: one row a claim, one column a witness, and whether they disagree."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from fulldress.checks.hooks import started
from fulldress.checks.index import Index, unit_name
from fulldress.checks.jobs import LED
from fulldress.checks.migrations import OF_ROWS, of_upgrade, take_nothing_back
from fulldress.checks.rule import count, several
from fulldress.facts import (
    RESTORED,
    Binary,
    Change,
    Credential,
    Difference,
    Downtime,
    Endpoint,
    Fact,
    FileEffect,
    Flag,
    Health,
    Hook,
    Installed,
    Interface,
    InterfaceChange,
    JobRun,
    Lock,
    Migration,
    Privilege,
    Reboot,
    Release,
    Requirement,
    Restart,
    Running,
    Schedule,
    Setting,
    SettingChange,
    Signature,
    Timing,
    Use,
    Wait,
    Webhook,
    Witness,
)
from fulldress.findings import Finding, Severity, Testimony
from fulldress.patterns import regex

MARK = "–"  #: what a witness who says nothing is shown as


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one witness says on one claim. Empty ``says``: it says nothing."""

    says: str = ""
    testimony: tuple[Testimony, ...] = ()


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row. ``disagrees``: witnesses contradict each other, or one says what another keeps quiet about."""

    name: str
    declared: Cell = Cell()
    read: Cell = Cell()
    observed: Cell = Cell()
    running: Cell = Cell()
    disagrees: bool = False
    severity: Severity | None = None  #: of the worst finding that belongs to this row
    rules: tuple[str, ...] = ()

    def cell(self, witness: Witness) -> Cell:
        return {
            Witness.DECLARED: self.declared,
            Witness.READ: self.read,
            Witness.OBSERVED: self.observed,
            Witness.RUNNING: self.running,
        }[witness]


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    families: tuple[type[Fact], ...]
    words: Callable[[Witness, list[Fact]], str]
    rules: tuple[str, ...]
    #: families that the words need to know and do not tell of
    context: tuple[type[Fact], ...] = ()
    #: given what the four say, whether they disagree; None uses "a finding of these rules is there"
    contradicts: Callable[[Index], bool] | None = None


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 120:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if rest else f"{minutes} minutes" if minutes > 1 else "1 minute"


def _reboot(witness: Witness, facts: list[Fact]) -> str:
    found = [f for f in facts if isinstance(f, Reboot)]
    if witness is Witness.DECLARED:
        return several(sorted({f.claim for f in found}))
    if found and all(f.claim in ("requested", "asked about", "prepared") for f in found):
        return "asked for"
    return "yes" if found else ""


def _downtime(witness: Witness, facts: list[Fact]) -> str:
    found = [f for f in facts if isinstance(f, Downtime)]
    if not found:
        return ""
    longest = _duration(max(f.duration for f in found))
    return f"{longest} negotiated" if witness is Witness.RUNNING else longest


#: Actions of services that are felt; the rest is for the next boot.
_FELT = {
    **dict.fromkeys(("restart", "try-restart", "force-restart", "condrestart", "reload-or-restart"), "restarted"),
    **dict.fromkeys(("stop", "kill", "isolate"), "stopped"),
    **dict.fromkeys(("reload", "force-reload", "try-reload-or-restart", "graceful"), "reloaded"),
    "start": "started",
}
_WORSE = ("restarted", "stopped", "reloaded", "started")


def _services(witness: Witness, facts: list[Fact]) -> str:
    restarts = [f for f in facts if isinstance(f, Restart)]
    missing = sorted({unit_name(f.unit) for f in restarts if "no such" in f.outcome})
    # what happens to each: of several acts the one that is felt most; what is stopped and started is restarted
    acts: dict[str, set[str]] = defaultdict(set)
    for restart in restarts:
        acts[unit_name(restart.unit)].add(_FELT.get(restart.action, ""))
    felt = {
        unit: "restarted" if {"stopped", "started"} <= verbs else next((v for v in _WORSE if v in verbs), "")
        for unit, verbs in acts.items()
    }
    parts = []
    for verb in (*_WORSE, ""):
        # those whose name only the run tells come last
        units = sorted((u for u, v in felt.items() if v == verb and u not in missing), key=lambda u: u.startswith("$"))
        if units:
            parts.append(f"{several(units)} {verb}".strip())
    words = "; ".join(parts)
    return "; ".join(filter(None, (words, f"no such unit: {several(missing)}" if missing else "")))


def _hooks(witness: Witness, facts: list[Fact]) -> str:
    found = started([f for f in facts if isinstance(f, Hook)])
    triggers = list(dict.fromkeys(f.name for f in found if f.manager == "dpkg"))
    words = [
        f"{f.name} ({f.moment})" if f.manager == "Helm" else f"{f.manager} {f.moment}: {f.command}"
        for f in found
        if f.manager != "dpkg"
    ]
    if triggers:
        words.append(f"postinst at triggers of {several(triggers, 2)}")
    return several(list(dict.fromkeys(words)), 3)


def _calls(witness: Witness, facts: list[Fact]) -> str:
    found = [f for f in facts if isinstance(f, Endpoint)]
    if witness is Witness.RUNNING:
        return several([f"{f.host} is {f.policy}" for f in found if f.policy])
    by_host: dict[str, list[Endpoint]] = defaultdict(list)
    if witness is not Witness.OBSERVED:  # the host itself is not out
        found = [f for f in found if not _LOOPBACK.match(f.host)]
    for endpoint in found:
        by_host[endpoint.host].append(endpoint)
    if witness is Witness.OBSERVED:
        # the database for which the clone stood in is no call to the outside
        outcomes = {host: sorted({e.outcome for e in group if e.outcome}) for host, group in by_host.items()}
        shown = sorted((said != ["refused"], host, several(said)) for host, said in outcomes.items() if said != [LED])
        return several([f"{host} {said}".strip() for _, host, said in shown])
    # one host is one thing to ask for, by whatever name the scripts reach it
    schemes = {host: "/".join(sorted({e.scheme for e in group if e.scheme})) for host, group in by_host.items()}
    return several([f"{host} ({said})" if said else host for host, said in schemes.items()])


def _jobs(witness: Witness, facts: list[Fact]) -> str:
    jobs = [f for f in facts if isinstance(f, Schedule) and f.enabled]
    words = list(dict.fromkeys(f"{f.name} {_hour(f.expression)}" for f in jobs))
    runs = [f for f in facts if isinstance(f, JobRun)]
    words += [f"{r.schedule} at {r.due:%H:%M} UTC: {_end(r)}" for r in runs]
    return several(words, 3)


def _hour(expression: str) -> str:
    """``03:00 daily``, ``Sun 04:30``; the expression itself where it is neither."""
    if daily := re.fullmatch(r"(\d{1,2}) (\d{1,2}) \* \* \*", expression.strip()):
        return f"{int(daily[2]):02d}:{int(daily[1]):02d} daily"
    if calendar := re.fullmatch(r"(?:(\w{3}(?:[,.]+\w{3})*) )?\*-\*-\* (\d\d:\d\d)(?::00)?", expression.strip()):
        return f"{calendar[1]} {calendar[2]}" if calendar[1] else f"{calendar[2]} daily"
    if expression == "(computed)":
        return "at hours that it computes"
    if "…" in expression and (often := _drawn(expression)):
        return often
    return f'"{expression}"'


def _drawn(expression: str) -> str:
    """``every 5 min``, ``once a day``: how often it runs where the program draws the exact time when it starts."""
    parts = expression.split()[-5:]
    if len(parts) != 5 or parts[2:] != ["*", "*", "*"]:
        return ""
    minute, hour = parts[0], parts[1]
    if hour == "*" and (every := re.fullmatch(r"(?:\*|…)/(\d+)", minute)):
        return f"every {every[1]} min"
    return "once an hour" if hour == "*" else "once a day" if hour == "…" or hour.isdigit() else ""


def _end(run: JobRun) -> str:
    return "did not end" if run.exit_code is None else f"exit {run.exit_code}"


def _privilege(witness: Witness, facts: list[Fact]) -> str:
    found = [f for f in facts if isinstance(f, Privilege)]
    if witness is Witness.OBSERVED:  # several runs see the same command
        found = list({(f.how, f.command, f.evidence.step): f for f in found}.values())
    counts = Counter(f.how for f in found)
    return ", ".join(f"{how} × {number}" for how, number in counts.most_common())


def _database(witness: Witness, facts: list[Fact]) -> str:
    migrations = list({(f.name, f.path, f.direction): f for f in facts if isinstance(f, Migration)}.values())
    every = sum(m.direction == "up" for m in migrations)
    migrations = of_upgrade(migrations, [f for f in facts if isinstance(f, Change)])
    ups = [m for m in migrations if m.direction == "up"]
    parts = []
    if len(ups) < every:
        parts.append(f"{len(ups)} of {every} migrations came since")
    elif ups:
        current = sum(bool(m.current) for m in ups)
        parts.append(count(len(ups), "migration") + (f" ({current} of this release)" if current else ""))
    if heavy := [m for m in ups if m.heavy]:
        parts.append(f"{len(heavy)} lock or rewrite a table")
    if lost := [m for m in ups if m.destructive]:
        parts.append(f"{len(lost)} {'loses' if len(lost) == 1 else 'lose'} data")
    if empty := take_nothing_back(migrations):
        parts.append(count(len(empty), "empty rollback script"))
    # an advisory lock is there to be held: it keeps runners apart, and nobody else asks for it
    locks = [f for f in facts if isinstance(f, Lock) and not f.object.startswith("advisory")]
    if locks:
        longest = max(locks, key=lambda k: k.held)
        parts.append(f"{longest.object} locked {_duration(longest.held)}")
    waits = [f for f in facts if isinstance(f, Wait)]
    if waits:
        parts.append(
            f"{count(sum(w.count for w in waits), 'request')} waited, worst {_duration(max(w.worst for w in waits))}"
        )
    return ", ".join(parts)


def _rollback(witness: Witness, facts: list[Fact]) -> str:
    differences = [f for f in facts if isinstance(f, Difference)]
    wrong = sorted({d.object for d in differences if d.kind in OF_ROWS})
    others = {d.object for d in differences if d.kind not in RESTORED and d.kind not in OF_ROWS}
    if wrong or others:
        left = count(len(others), "thing") + " of the schema" if others else ""
        return f"not restored: {', '.join(filter(None, (several(wrong), left)))}"
    if differences:
        return "every row as before"
    migrations = of_upgrade([f for f in facts if isinstance(f, Migration)], [f for f in facts if isinstance(f, Change)])
    downs = [m for m in migrations if m.direction == "down"]
    if downs and witness is Witness.READ:
        empty = take_nothing_back(migrations)
        return count(len(downs), "down script") + (f", {len(empty)} empty" if empty else "")
    back = [f for f in facts if isinstance(f, Timing) and f.act == "rollback" and not f.step]
    return f"took {_duration(max(t.duration for t in back))}" if back else ""


def _leftovers(witness: Witness, facts: list[Fact]) -> str:
    observed = witness is Witness.OBSERVED
    parts = []
    by_noun: dict[str, list[str]] = {}
    for fact in facts:
        if isinstance(fact, Flag | Webhook | Credential) and (not observed or fact.left):
            name = fact.target.partition("://")[2] if isinstance(fact, Webhook) else fact.name
            by_noun.setdefault(_noun(fact), []).append(name)
    order = ("flag", "webhook", "credential", *_NO_WAY_IN)
    for noun in sorted(by_noun, key=order.index):
        names = list(dict.fromkeys(by_noun[noun]))
        parts.append(f"{noun if len(names) == 1 else noun + 's'} {several(names, 2)}")
    files = {f.path for f in facts if isinstance(f, FileEffect) and f.left}
    if files:
        parts.append(count(len(files), "file"))
    return "; ".join(parts)


#: Kinds of credentials with which nobody gets in; called by their own name.
_NO_WAY_IN = ("system account", "group", "SSH host key")


def _noun(fact: Flag | Webhook | Credential) -> str:
    if isinstance(fact, Credential):
        return fact.kind if fact.kind in _NO_WAY_IN else "credential"
    return "flag" if isinstance(fact, Flag) else "webhook"


def _release(witness: Witness, facts: list[Fact]) -> str:
    if witness is Witness.RUNNING:
        return several([f"{f.component} {f.version}" for f in facts if isinstance(f, Installed | Running)], 3)
    releases = sorted((f for f in facts if isinstance(f, Release)), key=lambda f: f.evidence.path.count("!/"))
    # apache_superset and apache-superset are one name (PyPA, "Names and normalization")
    named = {(re.sub(r"[-_.]+", "-", f.product).lower(), f.version): f for f in reversed(releases)}
    words = [f"{f.product} {f.version}".strip() for f in reversed(named.values())]
    built = [f.built for f in facts if isinstance(f, Binary) and f.built]
    if built:
        first, last = f"{min(built):%Y-%m}", f"{max(built):%Y-%m}"
        words.append(f"binaries built {first}" + (f" to {last}" if last != first else ""))
    return several(words, 3)


def _signature(witness: Witness, facts: list[Fact]) -> str:
    found = [f for f in facts if isinstance(f, Signature)]
    signed = [f for f in found if f.names_a_maker]
    if found and not signed:
        return "no signature; checksums " + (
            "fit" if all(f.integrity.value == "intact" for f in found) else "do not fit"
        )
    return "; ".join(dict.fromkeys(f"bytes {f.integrity.value}, chain {f.trust.value}" for f in signed))


def _requirements(witness: Witness, facts: list[Fact]) -> str:
    every = [f for f in facts if isinstance(f, Requirement)]
    found = [r for r in every if not r.optional and not r.host]
    loose = [r for r in found if r.looseness.value in ("any version", "floating tag", "unbounded above")]
    hosts = [f"{r.component} {r.constraint}".strip() for r in every if r.host and not r.optional]
    optional = sum(r.optional for r in every)
    parts = [f"{len(found)}" + (f", {len(loose)} of them loose" if loose else "")] if found else []
    parts += [f"{optional} optional"] if optional else []
    parts += [several(hosts, 2)] if hosts else []
    return "; ".join(parts)


def _series(version: str) -> tuple[str, ...]:
    """The first two numbers of a version, without a distribution's epoch: ``1:15.5-0+deb12u1`` -> 15, 5."""
    return tuple(re.findall(r"\d+", version.split(":", 1)[-1])[:2])


def _settings(witness: Witness, facts: list[Fact]) -> str:
    # one change may be told in the vendor's notes and in the packager's
    told = {(f.component, f.key, f.kind): f for f in facts if isinstance(f, SettingChange)}
    series = {_series(f.version) for f in facts if isinstance(f, Release) and f.version}
    new = [f for f in told.values() if not f.version or not series or _series(f.version) in series]
    parts = [f"{number} {kind}" for kind, number in Counter(f.kind for f in new).most_common()]
    if older := len(told) - len(new):
        parts.append(f"{older} in older releases" if parts else f"{count(older, 'change')} in older releases")
    if parts:
        return ", ".join(parts)
    keys = [f for f in facts if isinstance(f, Setting)]
    return count(len(keys), "key") if keys else ""


def _api(witness: Witness, facts: list[Fact]) -> str:
    changes = Counter(f.kind for f in facts if isinstance(f, InterfaceChange))
    if changes:
        return ", ".join(f"{number} {kind}" for kind, number in changes.most_common())
    uses = [f for f in facts if isinstance(f, Use)]
    if uses:
        return f"{sum(u.per_day for u in uses):,.0f} calls a day to {count(len(uses), 'operation')}"
    listed = [f for f in facts if isinstance(f, Interface) and f.kind != "python"]
    return count(len(listed), "operation") if listed else ""


def _health(witness: Witness, facts: list[Fact]) -> str:
    found = [f for f in facts if isinstance(f, Health) and f.phase not in ("baseline", "before", "upgrade")]
    bad = sorted({h.subject for h in found if h.outcome != "pass"})
    if bad:
        return f"not well: {several(bad)}"
    return "all well" if found else ""


def _reboot_contradicts(index: Index) -> bool:
    done = index.of(Reboot, Witness.READ, Witness.OBSERVED)
    return bool(done) and "required" not in {r.claim for r in index.of(Reboot, Witness.DECLARED)}


def _downtime_contradicts(index: Index) -> bool:
    said = [d.duration for d in index.of(Downtime, Witness.DECLARED)]
    measured = [d.duration for d in index.of(Downtime, Witness.OBSERVED)]
    return bool(said and measured and max(measured) > max(said) * 1.2)


_LOOPBACK = regex(r"(?:localhost|127\.[\d.]+|\[?::1\]?)$")
#: Rows in the order of consequence when nothing else decides.
_ROWS = (
    _Row(
        name="rollback",
        families=(Difference, Migration, Timing),
        words=_rollback,
        context=(Change,),
        rules=("FD203", "FD204", "FD209", "FD805"),
    ),
    _Row(
        name="keeps running afterwards",
        families=(Schedule, JobRun),
        words=_jobs,
        rules=("FD301", "FD302", "FD304", "FD305", "FD307", "FD308", "FD309", "FD310", "FD311", "FD312", "FD314"),
    ),
    _Row(name="reboot", families=(Reboot,), words=_reboot, rules=("FD401",), contradicts=_reboot_contradicts),
    _Row(
        name="downtime",
        families=(Downtime,),
        words=_downtime,
        rules=("FD410", "FD411", "FD803"),
        contradicts=_downtime_contradicts,
    ),
    _Row(name="services touched", families=(Restart,), words=_services, rules=("FD402", "FD403", "FD404")),
    _Row(name="starts by itself", families=(Hook,), words=_hooks, rules=("FD514", "FD518")),
    _Row(name="health", families=(Health,), words=_health, rules=("FD801",)),
    _Row(name="calls out to", families=(Endpoint,), words=_calls, rules=("FD301", "FD303", "FD306")),
    _Row(
        name="database",
        families=(Migration, Lock, Wait),
        words=_database,
        context=(Change,),
        rules=(
            "FD201",
            "FD202",
            "FD205",
            "FD206",
            "FD207",
            "FD208",
            "FD210",
            "FD211",
            "FD245",
            "FD247",
            "FD248",
            "FD249",
            "FD809",
        ),
    ),
    _Row(name="privilege", families=(Privilege,), words=_privilege, rules=("FD405", "FD406", "FD407")),
    _Row(
        name="leaves behind",
        families=(Flag, Webhook, Credential, FileEffect),
        words=_leftovers,
        rules=("FD802", "FD901", "FD902", "FD903"),
    ),
    _Row(
        name="settings",
        families=(SettingChange, Setting),
        words=_settings,
        context=(Release,),
        rules=("FD601", "FD602", "FD603", "FD604", "FD605", "FD606", "FD607", "FD608"),
    ),
    _Row(
        name="API", families=(InterfaceChange, Interface, Use), words=_api, rules=("FD701", "FD702", "FD703", "FD704")
    ),
    _Row(name="dependencies", families=(Requirement,), words=_requirements, rules=("FD501", "FD502", "FD503")),
    _Row(
        name="release",
        families=(Release, Binary, Installed, Running),
        words=_release,
        rules=("FD004", "FD005", "FD006", "FD508", "FD511", "FD512", "FD513"),
    ),
    _Row(
        name="signature",
        families=(Signature,),
        words=_signature,
        rules=("FD101", "FD103", "FD104", "FD105", "FD110", "FD111", "FD112"),
    ),
)


def claims(facts: Iterable[Fact], findings: Iterable[Finding]) -> list[Claim]:
    """The table, the row with the gravest consequence first. Rows on which nobody says anything are left out."""
    index, findings = Index(facts), list(findings)
    rows: list[tuple[int, int, Claim]] = []
    for place, row in enumerate(_ROWS):
        cells = {witness: _cell(row, witness, index) for witness in Witness}
        if not any(cell.says for cell in cells.values()):
            continue
        own = [f for f in findings if f.rule in row.rules and f.counts]
        worst = min((f.severity for f in own), key=lambda s: s.rank, default=None)
        between = any(len({t.witness for t in f.testimony}) > 1 for f in own)
        # a grave thing that the vendor does not mention is a contradiction, too
        quiet = worst is Severity.BLOCKER and not cells[Witness.DECLARED].says
        disagrees = row.contradicts(index) if row.contradicts else between or quiet
        claim = Claim(
            name=row.name,
            declared=cells[Witness.DECLARED],
            read=cells[Witness.READ],
            observed=cells[Witness.OBSERVED],
            running=cells[Witness.RUNNING],
            disagrees=disagrees,
            severity=worst,
            rules=tuple(dict.fromkeys(f.rule for f in own)),
        )
        rows.append((worst.rank if worst else len(Severity), place, claim))
    return [claim for _, _, claim in sorted(rows, key=lambda r: r[:2])]


def _cell(row: _Row, witness: Witness, index: Index) -> Cell:
    facts: list[Fact] = [fact for family in row.families for fact in index.of(family, witness)]
    says = row.words(witness, facts + [fact for family in row.context for fact in index.of(family)])
    if not says:
        return Cell()
    evidence = {fact.evidence.where(): fact for fact in facts}
    return Cell(
        says=says,
        testimony=tuple(
            Testimony(witness=witness, says=fact.evidence.excerpt or type(fact).__name__, evidence=fact.evidence)
            for fact in evidence.values()
        ),
    )

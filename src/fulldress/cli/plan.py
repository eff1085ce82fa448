"""``fulldress plan PACKAGE -p DIR`` drafts; ``fulldress plan RUNBOOK -p DIR`` sizes, announces, freezes and approves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from fulldress.case import Case, Store
    from fulldress.facts import AnyFact, Forecast, Timing
    from fulldress.findings import Finding
    from fulldress.production import Production
    from fulldress.runbook.steps import Runbook
    from fulldress.runbook.window import Window


@click.command(short_help="Draft the runbook; after rehearsals: window, notices, calendar, freeze.")
@click.argument("target", type=click.Path(path_type=Path, exists=True))
@options.production
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="runbook.toml",
    show_default=True,
    help="Where the draft goes.",
)
@click.option("--force", is_flag=True, help="Write over a runbook that is there.")
@click.option("--as-the-vendor-says", is_flag=True, help="The vendor's order without any remedy.")
@click.option("--apply", "rules", default="", metavar="FD301,...", help="Only the remedies of these findings.")
@click.option("--apply-offers", is_flag=True, help="Every remedy that a finding offers (this is the default).")
@options.case_store
@click.option(
    "--starts",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ"]),
    help="Start in UTC, instead of production.toml's.",
)
@click.option("--sheet", type=click.Path(path_type=Path), help="Write the negotiation sheet (Markdown).")
@click.option("--notices", type=click.Path(path_type=Path), help="Write notice and status texts into this folder.")
@click.option(
    "--ics", type=click.Path(path_type=Path), help="Write the calendar entry; a changed one raises its sequence."
)
@click.option("--cancel", is_flag=True, help="With --ics: cancel the entry.")
@click.option("--freeze", "frozen_now", is_flag=True, help="Print the digest, and put it on record.")
@click.option("--approvals", type=click.IntRange(0), default=0, help="With --freeze: so many people have to approve.")
@click.option("--approve", is_flag=True, help="Approve exactly this runbook; needs --as.")
@click.option("--as", "who", default="", metavar="NAME", help="Who approves.")
@click.option("--json", "as_json", is_flag=True, help="Result as JSON.")
def command(
    target: Path, folder: Path, output: Path, force: bool, as_the_vendor_says: bool, rules: str, apply_offers: bool, cases: Path,
    starts: datetime | None, sheet: Path | None, notices: Path | None, ics: Path | None, cancel: bool, frozen_now: bool, approvals: int,
    approve: bool, who: str, as_json: bool,
) -> int:  # fmt: skip
    """Draft a runbook for the package TARGET, or work with the runbook TARGET.

    Without options a runbook's window is shown, from all its rehearsals. Exit code 1: the negotiated window is too short;
    3: the window is not known yet.
    """
    from fulldress.case import Store
    from fulldress.errors import UsageError
    from fulldress.production import load

    store = Store(cases)
    if sum((as_the_vendor_says, bool(rules), apply_offers)) > 1:
        raise UsageError("give one of --as-the-vendor-says, --apply and --apply-offers")
    if approve and not who:
        raise UsageError("--approve needs --as NAME: an approval is somebody's")
    production = load(folder)
    if target.suffix != ".toml" or target.is_dir():
        wanted = [] if as_the_vendor_says else [word.strip() for word in rules.split(",")] if rules else None
        return _draft(target, production, output, force, wanted, store, as_json)
    return _work(
        target, production, store, as_json, starts=starts.replace(tzinfo=UTC) if starts else None, sheet=sheet, notices=notices,
        ics=ics, cancel=cancel, frozen_now=frozen_now, approvals=approvals, approve=approve, who=who,
    )  # fmt: skip


def _draft(
    target: Path,
    production: Production,
    output: Path,
    force: bool,
    wanted: list[str] | None,
    store: Store,
    as_json: bool,
) -> int:
    import msgspec

    from fulldress import package as packages
    from fulldress.errors import UsageError
    from fulldress.facts import Entry
    from fulldress.package.reader import Options
    from fulldress.package.walk import Budget, Opened
    from fulldress.runbook import draft, freeze, procedure
    from fulldress.runbook.text import dump

    if output.exists() and not force:
        raise UsageError(f"{output}: there already. Give --force to write over it, or another name with --output")
    description = production.description
    reading = packages.read(
        target, trust=production.trust, root=production.root, advisories=production.advisories, zone=description.zone
    )
    case = store.find(reading.source)
    running, findings = judged(reading.facts, production, seen(case))
    entries = [fact for fact in reading.facts if isinstance(fact, Entry)]
    with Opened(target, Budget(), Options()) as opened:
        names = {member.sha256: name for name, member in opened.members.items()}

        def extract(sha256: str) -> bytes:
            if sha256 not in names:
                return b""
            with opened.open(names[sha256]) as stream:
                return stream.read()

        order = procedure.read(entries, extract)
    book = draft(
        reading.facts, running, findings, description, procedure=order, apply=wanted, package_name=reading.name,
        root=production.root, case=case.folder.name if case else "",
    )  # fmt: skip
    output.write_text(dump(book), encoding="utf-8")
    if case:
        case.append(
            "drafted",
            {
                "frozen": freeze(book),
                "runbook": str(output),
                "steps": len(book.step),
                "path": str(target.resolve()),
            },
        )
    if as_json:
        click.echo(
            msgspec.json.encode(
                {"runbook": str(output), "frozen": freeze(book), "steps": msgspec.to_builtins(book)["step"]}
            )
        )
        return 0
    click.echo(f"{output}: {len(book.step)} steps, order from {order.source}")
    phase = ""
    for step in book.step:
        shown, phase = step.phase if step.phase != phase else "", step.phase
        settles = f"  settles {', '.join(step.settles)}" if step.settles else ""
        click.echo(f" {shown:8} {step.__struct_config__.tag:10} {step.name}{settles}")
    left = [f for f in findings if f.offers and not any(f"{f.rule} {f.subject}" in s.settles for s in book.step)]
    if left:
        click.echo(f"not taken up: {', '.join(f'{f.rule} {f.subject}' for f in left)}", err=True)
    where = "" if case else f" --package {target}"
    click.echo(f"next:  fulldress rehearse {output} -p {production.folder}{where}", err=True)
    return 0


def seen(case: Case | None) -> list[list[AnyFact]]:
    """What each rehearsal of this package observed, the first one first: their findings offer remedies, too."""
    from fulldress import facts as vocabulary
    from fulldress.facts import Witness

    found = []
    for event in case.events("rehearsed") if case else []:
        place = case.folder / str(event.data.get("facts", "")) if case else Path()
        if event.data.get("facts") and place.is_file():
            facts = vocabulary.decode(place.read_bytes())
            found.append([fact for fact in facts if fact.witness is Witness.OBSERVED])
    return found


def judged(
    facts: list[AnyFact], production: Production, rehearsals: Sequence[Sequence[AnyFact]] = ()
) -> tuple[list[AnyFact], list[Finding]]:
    """Facts of production joined with the catalogue, and the findings of package and rehearsals.

    Each rehearsal is judged by itself, and so is the package without any: a rehearsal that went well because of a remedy
    must not take the need for it out of the next draft."""
    from fulldress import checks
    from fulldress.cli.gathering import beside

    running = beside(facts, production)
    found: dict[tuple[str, str], Finding] = {}
    for observed in (*reversed(rehearsals), ()):
        for finding in checks.judge([*facts, *running, *observed]):
            found.setdefault((finding.rule, finding.subject), finding)
    return running, sorted(found.values(), key=lambda f: (f.severity.rank, f.rule, f.subject))


def _work(
    path: Path, production: Production, store: Store, as_json: bool, *, starts: datetime | None, sheet: Path | None, notices: Path | None,
    ics: Path | None, cancel: bool, frozen_now: bool, approvals: int, approve: bool, who: str,
) -> int:  # fmt: skip
    import msgspec

    from fulldress.cli.dday import read_runbook
    from fulldress.runbook import freeze, negotiation
    from fulldress.runbook import notices as texts
    from fulldress.runbook import window as windows

    book = read_runbook(path)
    frozen, given = freeze(book), production.description.window
    case = store.find(book.runbook.package)
    if frozen_now or approve:
        case = store.get(book.runbook.package, book.runbook.package_name)
    if frozen_now and case:
        case.append("frozen", {"frozen": frozen, "approvals": approvals, "runbook": str(path)})
    if approve and case:
        case.append("approved", {"frozen": frozen, "who": who})
    if case and (frozen_now or approve):
        have = case.approvals(frozen)
        words = f"{frozen}" + (f"  approved by {', '.join(have)}" if have else "")
        click.echo(msgspec.json.encode({"frozen": frozen, "approved": have}) if as_json else words)
        if not (sheet or notices or ics):
            return 0
    window = measured(book, frozen, case, production, starts)
    written = []
    if sheet:
        text = negotiation.sheet(book.runbook, window, overage=given.rate_overage, contact=given.contact)
        sheet.write_text(text, encoding="utf-8")
        written.append(sheet)
    if notices:
        notices.mkdir(parents=True, exist_ok=True)
        affected = tuple(production.description.services)
        found = texts.texts(book.runbook, window, affected=affected, contact=given.contact, overage=given.rate_overage)
        for state, text in found.items():
            (notices / f"{state}.txt").write_text(text.rstrip("\n") + "\n", encoding="utf-8")
            written.append(notices / f"{state}.txt")
    if ics:
        from fulldress.runbook import calendar

        previous = ics.read_bytes() if ics.exists() else b""
        ics.write_bytes(calendar.entry(book.runbook, window, previous=previous, cancelled=cancel))
        written.append(ics)
    if as_json and not (frozen_now or approve):
        click.echo(msgspec.json.encode({"frozen": frozen, "known": window.known, "minutes": window.total / timedelta(minutes=1),
                                        "fits": window.fits, "confidence": window.confidence, "window": window}))  # fmt: skip
    elif not as_json:
        for line in windows.words(window):
            click.echo(line)
    for place in written:
        click.echo(f"written: {place}", err=True)
    return 3 if not window.known else 1 if window.fits is False else 0


def measured(book: Runbook, frozen: str, case: Case | None, production: Production, starts: datetime | None) -> Window:
    """The window from every rehearsal of exactly this runbook that the case holds."""
    import msgspec

    from fulldress import facts as vocabulary
    from fulldress.facts import Downtime, Forecast, Timing, Witness

    timings: list[Timing] = []
    forecasts: list[Forecast] = []
    vendor: timedelta | None = None
    for event in case.rehearsals(frozen) if case else []:
        place = case.folder / str(event.data.get("facts", "")) if case else Path()
        if not place.is_file():
            click.echo(f"note: {place}: the facts of a rehearsal are gone; it does not count", err=True)
            continue
        found = vocabulary.decode(place.read_bytes())
        shift = max((t.run for t in timings), default=0)
        forecasts = [fact for fact in found if isinstance(fact, Forecast)] or forecasts  # the newest has most to go by
        for fact in found:
            if isinstance(fact, Timing):
                timings.append(msgspec.structs.replace(fact, run=fact.run + shift))
            elif isinstance(fact, Downtime) and fact.witness is Witness.DECLARED:
                vendor = fact.duration
    return sized(timings, vendor, production, starts, forecasts)


def sized(
    timings: list[Timing],
    vendor: timedelta | None,
    production: Production,
    starts: datetime | None = None,
    forecasts: Sequence[Forecast] = (),
) -> Window:
    """The window that these rehearsals need, at the time and in the zone that production.toml names."""
    from fulldress.runbook import window as windows

    given = production.description.window
    return windows.size(
        timings,
        forecasts=forecasts,
        vendor=vendor,
        decision=timedelta(minutes=given.decision_minutes),
        buffer=timedelta(minutes=given.buffer_minutes),
        starts=starts or (given.starts.astimezone(UTC) if given.starts else None),
        negotiated=timedelta(minutes=given.minutes) if given.minutes else None,
        zone=production.description.zone,
    )

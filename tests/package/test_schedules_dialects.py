"""Dialects of cron-like fields by brute force, clock changes, class files, and readers that meet anything."""

from __future__ import annotations

import contextlib
import struct
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.facts import Schedule, Unread
from fulldress.package import schedules
from fulldress.package.schedules import classfile, clockchanges, elsewhere, fields, schtasks, xmltree, yamlnodes
from fulldress.package.schedules.jobs import Clock, period
from openfolder import FolderPackage, member

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 11, 25, tzinfo=UTC)
CASES = Path(__file__).parent / "cases" / "schedules"


def local(dialect: str, expression: str, start: datetime, count: int = 3) -> list[str]:
    runs = fields.next_runs(fields.parse(expression, dialect), start, BERLIN, count)
    return [f"{run.astimezone(BERLIN):%Y-%m-%d %H:%M}" for run in runs]


SPRING_NIGHT = datetime(2027, 3, 27, 12, tzinfo=BERLIN)
AUTUMN_NIGHT = datetime(2026, 10, 24, 12, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("dialect", "expression", "wanted"),
    [
        ("kubernetes", "30 2 * * *", ["2027-03-29 02:30", "2027-03-30 02:30", "2027-03-31 02:30"]),
        ("eventbridge", "30 2 * * ? *", ["2027-03-28 03:30", "2027-03-29 02:30", "2027-03-30 02:30"]),
        ("kubernetes", "0 * * * *", ["2027-03-27 13:00", "2027-03-27 14:00", "2027-03-27 15:00"]),
        ("quartz", "0 0 12 ? * 6L", ["2027-04-30 12:00", "2027-05-28 12:00", "2027-06-25 12:00"]),  # 6 is Friday
        ("spring", "0 0 12 * * 5L", ["2027-04-30 12:00", "2027-05-28 12:00", "2027-06-25 12:00"]),  # 5 is Friday
        ("quartz", "0 0 12 ? * 2#1", ["2027-04-05 12:00", "2027-05-03 12:00", "2027-06-07 12:00"]),
        ("quartz", "0 0 12 LW * ?", ["2027-03-31 12:00", "2027-04-30 12:00", "2027-05-31 12:00"]),
        ("quartz", "0 0 12 1W * ?", ["2027-04-01 12:00", "2027-05-03 12:00", "2027-06-01 12:00"]),
        ("quartz", "0 0 12 L-2 * ?", ["2027-03-29 12:00", "2027-04-28 12:00", "2027-05-29 12:00"]),
        ("quartz", "0 0 0 1 1 ? 2030", ["2030-01-01 00:00"]),
        ("apscheduler", "0 3 * * 0", ["2027-03-29 03:00", "2027-04-05 03:00", "2027-04-12 03:00"]),  # 0 is Monday
        ("unix", "0 3 * * 0", ["2027-03-28 03:00", "2027-04-04 03:00", "2027-04-11 03:00"]),
        ("unix", "0 3 * * 7", ["2027-03-28 03:00", "2027-04-04 03:00", "2027-04-11 03:00"]),
        ("unix", "0 3 13 * fri", ["2027-04-02 03:00", "2027-04-09 03:00", "2027-04-13 03:00"]),
        ("spring", "0 0 3 13 * FRI", ["2027-08-13 03:00", "2028-10-13 03:00", "2029-04-13 03:00"]),
        ("celery", "0 3 13 * fri", ["2027-08-13 03:00", "2028-10-13 03:00", "2029-04-13 03:00"]),
        ("unix", "0 22-1 * * *", ["2027-03-27 22:00", "2027-03-27 23:00", "2027-03-28 00:00"]),
        ("unix", "0 12 * * sat-mon", ["2027-03-28 12:00", "2027-03-29 12:00", "2027-04-03 12:00"]),
        ("spring", "0 0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("pg_cron", "0 12 $ * *", ["2027-03-31 12:00", "2027-04-30 12:00", "2027-05-31 12:00"]),
        ("nomad", "0 6 1 * * 2028", ["2028-01-01 06:00", "2028-02-01 06:00", "2028-03-01 06:00"]),
        ("node", "@weekly", ["2027-03-28 00:00", "2027-04-04 00:00", "2027-04-11 00:00"]),
    ],
)
def test_a_dialect_counts_as_its_maker_says(dialect: str, expression: str, wanted: list[str]) -> None:
    assert local(dialect, expression, SPRING_NIGHT) == wanted


def test_the_hour_that_comes_twice() -> None:
    twice = fields.next_runs(fields.parse("30 2 * * *", "kubernetes"), AUTUMN_NIGHT, BERLIN)
    once = fields.next_runs(fields.parse("0 30 2 * * *", "spring"), AUTUMN_NIGHT, BERLIN)
    hourly = fields.next_runs(fields.parse("30 * * * *", "unix"), datetime(2026, 10, 24, 23, 40, tzinfo=UTC), BERLIN)
    assert [f"{run:%d %H:%M}" for run in twice] == ["25 00:30", "25 01:30", "26 01:30"]
    assert [f"{run:%d %H:%M}" for run in once] == ["25 00:30", "26 01:30", "27 01:30"]
    assert [f"{run:%d %H:%M}" for run in hourly] == ["25 00:30", "25 01:30", "25 02:30"]


@pytest.mark.parametrize(
    ("dialect", "expression"),
    [
        ("unix", "60 * * * *"), ("unix", "* * * *"), ("unix", "* * 0 * *"), ("unix", "* * * 13 *"), ("unix", "* * * * 8"),
        ("unix", "*/0 * * * *"), ("unix", "a * * * *"), ("unix", "1--3 * * * *"), ("unix", ""), ("unix", "@never"),
        ("quartz", "0 0 12 * * *"), ("quartz", "0 0 12 ? * ?"), ("quartz", "0 0 12 ? * 0"), ("quartz", "0 0 12 ? * 8"),
        ("spring", "0 0 12 * *"), ("kubernetes", "0 0 3 * * *"), ("unix", "0 0 L * *"), ("unix", "0 0 * * 5#2"),
        ("eventbridge", "0 12 * * ?"), ("apscheduler", "0 3 * * 7"),
    ],
)  # fmt: skip
def test_a_dialect_refuses(dialect: str, expression: str) -> None:
    with pytest.raises(fields.FieldsError):
        fields.parse(expression, dialect)


_minute = st.sampled_from(["0", "30", "*/20", "15,45", "10-12", "*"])
_hour = st.sampled_from(["*", "2", "1-3", "*/5", "22-1", "2,14"])
_day = st.sampled_from(["*", "1", "28-31", "*/10", "13"])
_month = st.sampled_from(["*", "3", "10", "2-4", "mar,oct"])
_weekday = st.sampled_from(["*", "0", "7", "1-5", "fri-mon", "sun"])


@settings(max_examples=60, deadline=None)
@given(
    expression=st.tuples(_minute, _hour, _day, _month, _weekday).map(" ".join),
    start=st.sampled_from([SPRING_NIGHT, AUTUMN_NIGHT, datetime(2028, 2, 28, tzinfo=UTC)]),
    dialect=st.sampled_from(["unix", "celery", "kubernetes"]),
)
def test_runs_are_those_that_brute_force_finds(expression: str, start: datetime, dialect: str) -> None:
    parsed = fields.parse(expression, dialect)
    runs = list(islice(parsed.after(start, BERLIN), 20))
    assert all(a < b for a, b in pairwise(runs))
    end = start + timedelta(days=3)
    fixed = len(parsed.hours) < 24
    seen, wanted = set(), []
    moment = start.astimezone(UTC) + timedelta(minutes=1)
    while moment <= end and len(wanted) < 20:
        there = moment.astimezone(BERLIN)
        if parsed.fits(there.date()) and there.hour in parsed.hours and there.minute in parsed.minutes:
            again = (there.replace(tzinfo=None)) in seen
            if not (again and fixed and not parsed.dialect.doubles):
                wanted.append(moment)
            seen.add(there.replace(tzinfo=None))
        moment += timedelta(minutes=1)
    assert [run for run in runs if run <= end][: len(wanted)] == wanted


def test_fields_agree_with_the_library_that_reads_crontabs() -> None:
    from cronsim import CronSim

    for minute in ("0", "*/7", "5-50/15"):
        for hour in ("*", "3", "*/6"):
            for day in ("*", "13", "1-7"):
                for weekday in ("*", "5", "1-3"):
                    expression = f"{minute} {hour} {day} * {weekday}"
                    start = datetime(2026, 11, 25, 3, 7, tzinfo=UTC)
                    ours = fields.next_runs(fields.parse(expression, "unix"), start, ZoneInfo("UTC"), 5)
                    assert list(ours) == list(islice(CronSim(expression, start), 5)), expression


def test_changes_of_the_clock() -> None:
    found = clockchanges.changes(BERLIN, datetime(2027, 1, 1, tzinfo=UTC))
    assert [(f"{c.start:%m-%d %H:%M}", f"{c.end:%H:%M}", c.gap) for c in found] == [
        ("03-28 02:00", "03:00", True),
        ("10-31 02:00", "03:00", False),
    ]
    half = clockchanges.changes(ZoneInfo("Australia/Lord_Howe"), datetime(2027, 1, 1, tzinfo=UTC))
    assert [c.end - c.start for c in half] == [timedelta(minutes=30)] * 2
    assert clockchanges.changes(ZoneInfo("UTC"), datetime(2027, 1, 1, tzinfo=UTC)) == ()


# --- class files


class ClassFile:
    """A class with one annotated method, written byte by byte."""

    def __init__(self) -> None:
        self.pool: list[bytes] = []

    def utf(self, text: str) -> int:
        data = text.encode()
        return self.add(b"\x01" + struct.pack(">H", len(data)) + data)

    def add(self, data: bytes) -> int:
        if data not in self.pool:
            self.pool.append(data)
        return self.pool.index(data) + 1

    def value(self, value: str | int | list[bytes]) -> bytes:
        if isinstance(value, list):
            return b"[" + struct.pack(">H", len(value)) + b"".join(b"@" + item for item in value)
        if isinstance(value, int):
            return b"I" + struct.pack(">H", self.add(b"\x03" + struct.pack(">i", value)))
        return b"s" + struct.pack(">H", self.utf(value))

    def annotation(self, name: str, **values: str | int | list[bytes]) -> bytes:
        body = b"".join(struct.pack(">H", self.utf(key)) + self.value(value) for key, value in values.items())
        return struct.pack(">HH", self.utf(f"L{name.replace('.', '/')};"), len(values)) + body

    def build(self, method: str, *annotations: bytes) -> bytes:
        this = self.add(b"\x07" + struct.pack(">H", self.utf("com/relay/Jobs")))
        attribute = struct.pack(">H", len(annotations)) + b"".join(annotations)
        methods = struct.pack(">HHHHH", 1, 1, self.utf(method), self.utf("()V"), 1) + struct.pack(
            ">HI", self.utf("RuntimeVisibleAnnotations"), len(attribute)
        )
        tail = struct.pack(">HHHHH", 0x21, this, 0, 0, 0) + methods + attribute + struct.pack(">H", 0)
        return struct.pack(">IHHH", 0xCAFEBABE, 0, 61, len(self.pool) + 1) + b"".join(self.pool) + tail


SPRING = "org.springframework.scheduling.annotation.Scheduled"


def read(files: dict[str, bytes]) -> list[Schedule]:
    package = FolderPackage({path: member(path, data) for path, data in files.items()})
    clock = Clock(AT, BERLIN)
    facts = [fact for item in package.members.values() for fact in elsewhere.read(package, item, clock)]
    return [fact for fact in facts if isinstance(fact, Schedule)]


def test_an_annotation_of_a_class_file_is_a_job() -> None:
    maker = ClassFile()
    data = maker.build("nightly", maker.annotation(SPRING, cron="${relay.cron:0 0 3 * * *}", zone="Europe/Paris"))
    (job,) = read({"app.jar!/com/relay/Jobs.class": data})
    assert (job.name, job.mechanism, job.expression, job.zone) == (
        "Jobs.nightly",
        "Spring @Scheduled",
        "0 0 3 * * *",
        "Europe/Paris",
    )
    assert job.next_runs[0] == datetime(2026, 11, 25, 2, tzinfo=UTC)
    (job,) = read({
        "app.jar!/com/relay/Jobs.class": data,
        "app.jar!/application.yml": b"relay:\n  cron: '0 0 4 * * *'\n",
        "other.jar!/application.yml": b"relay:\n  cron: '0 0 5 * * *'\n",
    })  # fmt: skip
    assert job.expression == "0 0 4 * * *"


def test_repeated_annotations_and_rhythms() -> None:
    maker = ClassFile()
    inner = [
        maker.annotation(SPRING, cron="0 0 1 * * *"),
        maker.annotation(SPRING, fixedRate=90, timeUnit="MINUTES"),
    ]
    data = maker.build("both", maker.annotation(SPRING.replace("Scheduled", "Schedules"), value=inner))
    assert [job.expression for job in read({"Jobs.class": data})] == ["0 0 1 * * *", "every 90 min"]


def test_an_annotation_of_another_name_is_no_job() -> None:
    maker = ClassFile()
    assert read({"Jobs.class": maker.build("x", maker.annotation("com.relay.Scheduled", cron="0 0 1 * * *"))}) == []


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 400), byte=st.integers(0, 255), length=st.integers(0, 400))
def test_a_damaged_class_file_is_refused_or_read(place: int, byte: int, length: int) -> None:
    maker = ClassFile()
    data = bytearray(maker.build("nightly", maker.annotation(SPRING, cron="0 0 3 * * *")))
    data[place % len(data)] = byte
    for damaged in (bytes(data), bytes(data[:length])):
        with contextlib.suppress(classfile.BadClass):
            list(classfile.annotated(damaged))


# --- anything at all

_SEEDS = [
    (path.relative_to(CASES).as_posix().split("/", 1)[1], path.read_bytes())
    for path in sorted(CASES.rglob("*"))
    if path.is_file() and path.name not in ("expected.json", "options.json")
]


@settings(max_examples=250, deadline=None)
@given(seed=st.sampled_from(_SEEDS), at=st.integers(0, 4000), junk=st.binary(max_size=12), cut=st.booleans())
def test_a_mutated_file_never_ends_the_reading(seed: tuple[str, bytes], at: int, junk: bytes, cut: bool) -> None:
    path, data = seed
    place = at % (len(data) + 1)
    mutated = data[:place] + junk + (b"" if cut else data[place:])
    package = FolderPackage({path: member(path, mutated)})
    for fact in schedules.read(package):
        assert isinstance(fact, (Schedule, Unread))
        if isinstance(fact, Schedule):
            assert all(a < b for a, b in pairwise(fact.next_runs))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789*/,-?LW# adfimnorstuFIRNM@", max_size=30), st.sampled_from(sorted(fields.DIALECTS)))
def test_any_text_is_an_expression_or_refused(text: str, dialect: str) -> None:
    try:
        parsed = fields.parse(text, dialect)
    except fields.FieldsError:
        return
    runs = fields.next_runs(parsed, AT, BERLIN)
    assert all(a < b for a, b in pairwise(runs))
    assert all(run > AT for run in runs)


def test_hostile_yaml_and_xml() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]\n" for p, c in pairwise("abcdefghij")
    )
    (root,) = yamlnodes.documents(bomb)
    assert len(list(yamlnodes.walk(root))) < 200
    for deep in ("[" * 5000, "- " * 5000, "{a: " * 5000):
        with pytest.raises(yamlnodes.TooDeep):
            yamlnodes.documents(deep)
    with pytest.raises(xmltree.BadXml):
        xmltree.parse("<a>" * 5000)
    with pytest.raises(xmltree.BadXml):
        xmltree.parse('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')


@pytest.mark.parametrize(
    ("line", "words", "first"),
    [
        ("/sc daily /st 03:00", "0 3 * * *", "2026-11-25T02:00"),
        ("/SC WEEKLY /D MON,FRI /ST 22:30", "weekly on MON,FRI at 22:30", "2026-11-27T21:30"),
        ("/sc monthly /d 15 /st 01:00", "monthly on 15 at 01:00", "2026-12-15T00:00"),
        ("/sc monthly /mo second /d tue /st 04:00", "monthly on the second on TUE at 04:00", "2026-12-08T03:00"),
        ("/sc monthly /mo lastday /m dec /st 23:00", "monthly on the lastday of DEC at 23:00", "2026-12-31T22:00"),
        ("/sc minute /mo 15 /st 00:05", "every 15 min from 00:05", "2026-11-25T00:05"),
        ("/sc hourly", "every 1 h", ""),
        ("/sc daily /mo 3 /st 03:00", "every 3 days at 03:00", ""),
        ("/sc onstart", "at the start of the host", ""),
        ("/sc once /st 12:00 /sd 11/30/2026", "once at 12:00 on 11/30/2026", ""),
        ("/sc daily /st 25:00", "daily at 25:00", ""),
    ],
)
def test_the_rhythm_of_schtasks(line: str, words: str, first: str) -> None:
    said, runs = schtasks.rhythm(schtasks.options(tuple(line.split())), Clock(AT, BERLIN))
    assert said == words
    assert (f"{runs[0]:%Y-%m-%dT%H:%M}" if runs else "") == first


def test_periods() -> None:
    assert period("PT15M") == timedelta(minutes=15)
    assert period("P1DT2H") == timedelta(days=1, hours=2)
    assert period("PT0.5S") == timedelta(milliseconds=500)
    for text in ("P1M", "P", "", "15M", "PT", "P" + "9" * 30 + "D"):
        assert period(text) is None

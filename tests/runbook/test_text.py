"""``runbook.toml`` says the same after it was written and read again; what is wrong in it is told with its line."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulldress.errors import RunbookInvalid, RunbookSyntax
from fulldress.runbook import freeze
from fulldress.runbook.steps import Command, Header, Migrate, Notice, Probe, Runbook, Schedule, Setting
from fulldress.runbook.text import dump, load

HEADER = Header(product="p", version="2", package="0" * 64)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_probes = st.builds(Probe, http=_texts, contains=_texts, within=st.floats(0, 1e6), absent=st.booleans())
_steps = st.one_of(
    st.builds(
        Command,
        name=st.just("x"),
        argv=st.lists(_texts, min_size=1).map(tuple),
        why=_texts,
        environment=st.dictionaries(_texts, _texts, max_size=3),
        verify=st.lists(_probes, max_size=3).map(tuple),
    ),
    st.builds(Setting, name=st.just("x"), file=_texts, key=_texts, value=_texts, remove=st.booleans()),
    st.builds(Notice, name=st.just("x"), channel=_texts, text=_texts),
    st.builds(
        Migrate, name=st.just("x"), database=_texts, ups=st.lists(_texts).map(tuple), lock_timeout=st.floats(0, 99)
    ),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_steps)
def test_round_trip(step: Command) -> None:
    runbook = Runbook(runbook=HEADER, step=(step,))
    again = load(dump(runbook))
    assert again == runbook
    assert freeze(again) == freeze(runbook)


def test_layout_does_not_change_the_digest_and_words_do() -> None:
    runbook = Runbook(runbook=HEADER, step=(Command(name="x", argv=("true",)),))
    assert freeze(load("# a comment\n\n" + dump(runbook))) == freeze(runbook)
    other = Runbook(runbook=HEADER, step=(Command(name="x", argv=("true",), why="because"),))
    assert freeze(other) != freeze(runbook)


GOOD = '[runbook]\nproduct = "p"\nversion = "2"\npackage = "00"\n\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (GOOD + "[[step]\n", 6, "Expected"),
        (
            GOOD + '[[step]]\nname = "a"\nkind = "command"\nargv = ["true"]\n\n[[step]]\nname = "b"\nkind = "comand"\n',
            11,
            "comand",
        ),
        (GOOD + '[[step]]\nname = "a"\nkind = "command"\nargvv = ["true"]\n', 6, 'unknown key "argvv"'),
        ('[runbook]\nproduct = "p"\n', 1, "missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(RunbookSyntax) as raised:
        load(text, "r.toml")
    assert str(raised.value).startswith(f"r.toml:{line}: ")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((Command(name="a", argv=("x",)), Command(name="a", argv=("x",))), "used twice"),
        ((Command(name="a", argv=("x",), phase="later"),), "unknown phase"),
        ((Command(name="a", argv=("x",), phase="after"), Command(name="b", argv=("x",))), "comes after"),
        ((Schedule(name="a", target="/etc/cron.d/x", after="nobody"),), "names 'nobody'"),
        ((Command(name="a/b", argv=("x",)),), "not a name"),
    ],
)
def test_steps_that_do_not_hang_together(steps: tuple[Command, ...], words: str) -> None:
    with pytest.raises(RunbookInvalid, match=words):
        load(dump(Runbook(runbook=HEADER, step=steps)))

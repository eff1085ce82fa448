"""The pages of the rules cannot rot: one for each rule, with the rule's own title and severity."""

from __future__ import annotations

import pytest

from fulldress.checks import RULES
from fulldress.cli import run
from fulldress.errors import UnknownRule
from fulldress.report import rules


def test_a_page_for_every_rule_and_a_rule_for_every_page() -> None:
    assert rules.ids() == sorted(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_page_says_what_why_example_and_remedy(rule: str) -> None:
    page = rules.page(rule)
    assert page.startswith(f"# {rule}: {RULES[rule].title}\n\n*{RULES[rule].severity.value}*\n")
    for heading in ("## What", "## Why", "## Example", "## How to mend it"):
        assert page.count(f"\n{heading}\n") == 1
    assert f"\n{rule}  " in page, "the example is a finding of this rule"


def test_index_lists_every_page() -> None:
    index = (rules.folder() / "README.md").read_text()
    assert all(f"[{rule}]({rule}.md) | {RULES[rule].severity.value} | {RULES[rule].title} |" in index for rule in RULES)


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "fd301"]) == 0
    assert capsys.readouterr().out == rules.page("FD301")
    assert run(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(RULES)


def test_unknown_rule_names_near_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "FD399"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fulldress: FD399: no such rule; did you mean FD")
    assert error.count("\n") == 1
    with pytest.raises(UnknownRule):
        rules.page("../README")

"""What a rehearsal observed offers remedies; a later one that went well because of them takes none away."""

from __future__ import annotations

from pathlib import Path

from fulldress import production
from fulldress.case import Case, Store
from fulldress.cli.plan import judged, seen
from fulldress.facts import Evidence, Runners, Witness, encode


def rehearsed(case: Case, number: int, outcome: str) -> None:
    name = f"rehearsal-{number:02d}.json"
    fact = Runners(
        witness=Witness.OBSERVED, evidence=Evidence(source="run:1"), migration="sql/", outcome=outcome, detail="x"
    )
    (case.folder / name).write_bytes(encode([fact]))
    case.append("rehearsed", {"facts": name})


def test_a_remedy_that_worked_stays_offered(tmp_path: Path) -> None:
    (tmp_path / "production.toml").write_text('name = "the desk"\nzone = "UTC"\n')
    there = production.load(tmp_path)
    case = Store(tmp_path / "cases").open_case("ab" * 32, "relayd.zip", label="relayd-1", size=1)
    rehearsed(case, 1, "one failed")
    rehearsed(case, 2, "serialised")
    _, findings = judged([], there, seen(case))
    assert [finding.rule for finding in findings if finding.rule == "FD207"] == ["FD207"]
    assert judged([], there, seen(None))[1] == []

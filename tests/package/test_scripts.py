"""Scripts: the case folders, and that no text makes the reader fall over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.facts import Endpoint, FileEffect, Reason, Unread, encode
from fulldress.package import scripts
from openfolder import FolderPackage, member, open_folder

CASES = Path(__file__).parent / "cases" / "scripts"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, scripts.read(open_folder(case)))


def facts_of(text: str, path: str = "a.sh", kind: str = "") -> list[object]:
    return list(scripts.read(FolderPackage({path: member(path, text.encode(), kind, mode=0o755)})))


_pieces = st.sampled_from(
    ["if", "then", "fi", "$X", "${X:-y}", "$(cat", ")", "<<EOF", "EOF", "\n", ";", "|", "&&", "'", '"', "rm -rf", "/", "sudo",
     "curl", "https://a.example/", "f()", "{", "}", "case", "esac", "in", "*)", ";;", "for", "do", "done", ">", "/etc/cron.d/x", "`"]
)  # fmt: skip


def test_code_points_that_crash_the_grammars_scanner() -> None:
    for number in range(0x10000, 0x110000, 0x777):
        assert facts_of(f"#!/bin/sh\necho ${{{chr(number)}[[ a =~ @](x=${{#{chr(number)}\nrm -rf /opt/app") is not None


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(_pieces, max_size=30).map(" ".join), st.text(max_size=80)))
def test_any_text_is_read(text: str) -> None:
    for fact in facts_of(f"#!/bin/sh\n{text}"):
        assert encode([fact])  # type: ignore[list-item]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120), st.sampled_from(["python", "powershell", "batch", "perl"]))
def test_any_text_in_other_languages_is_read(text: str, kind: str) -> None:
    facts_of(f"#!/usr/bin/env {kind}\n{text}", "bin/a", kind)


def test_a_script_with_too_many_ways_is_said_to_be() -> None:
    body = "\n".join(f"f{n}() {{ f{n + 1}; f{n + 1}; f{n + 1}; f{n + 1}; f{n + 1}; }}" for n in range(12))
    found = facts_of(f"#!/bin/sh\n{body}\nf12() {{ x a b c d e f g; }}\nf0\n")
    assert [fact.reason for fact in found if isinstance(fact, Unread)] == [Reason.BUDGET]


def test_deep_nesting_is_no_traceback() -> None:
    facts_of("#!/bin/sh\n" + "(" * 3000 + "true" + ")" * 3000)
    facts_of("#!/bin/sh\n" + "if a; then\n" * 1500 + "true\n" + "fi\n" * 1500)


def test_no_secret_of_a_script_is_in_any_fact() -> None:
    text = """#!/bin/sh
DB_PASSWORD=hunter2-secret
mysql -u root -phunter3-secret -e "CREATE USER 'x' IDENTIFIED BY 'hunter4-secret'"
curl -u admin:hunter5-secret -H "Authorization: Bearer hunter6-secret" https://api.vendor.example/hooks -d "{\\"url\\": \\"https://me:hunter7-secret@x.example/\\"}"
sshpass -p hunter8-secret sftp in@old.vendor.example
echo "app:hunter9-secret" | chpasswd
echo "0 3 * * * root run --key $DB_PASSWORD" > /etc/cron.d/x
psql "postgresql://app:hunter10-secret@db.example/x" -c "SELECT 1 -- $DB_PASSWORD"
sudo -u x env TOKEN=hunter11-secret /opt/x/run
"""
    found = facts_of(text)
    assert b"-secret" not in encode(found)  # type: ignore[arg-type]
    assert sum(type(fact).__name__ == "Secret" for fact in found) >= 9


def test_a_guard_makes_a_deletion_sure() -> None:
    unsure = facts_of('#!/bin/sh\nrm -rf "$DIR/"\n')
    sure = facts_of('#!/bin/sh\n[ -n "$DIR" ] || exit 1\nrm -rf "$DIR/"\n')
    assert [("may be empty" in fact.detail) for fact in unsure if isinstance(fact, FileEffect)] == [True]
    assert [("may be empty" in fact.detail) for fact in sure if isinstance(fact, FileEffect)] == [False]


def test_alternatives_of_two_branches_are_both_called() -> None:
    found = facts_of("#!/bin/sh\nif [ -f /etc/eu ]; then H=eu.vendor.example; else H=us.vendor.example; fi\nsftp $H\n")
    assert {fact.host for fact in found if isinstance(fact, Endpoint)} == {"eu.vendor.example", "us.vendor.example"}


_INPUTS = sorted(path for path in CASES.rglob("*") if path.suffix in (".sh", "") and path.is_file())


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(_INPUTS), st.data())
def test_a_damaged_script_is_read(path: Path, data: st.DataObject) -> None:
    """What vendors write, with a piece of it cut out, doubled, or something else put in its place."""
    text = path.read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    put = data.draw(
        st.sampled_from(["", text[start:end] * 2, '"', "$(", "\n}\n", "EOF\n", "\\", "${", "((", "\x00", "\ue000"])
    )
    for name in ("a.sh", "x.deb!/control.tar.xz!/./postinst"):
        for fact in facts_of(text[:start] + put + text[end:], name, "shell"):
            assert encode([fact])  # type: ignore[list-item]


def test_what_is_written_and_called_in_circles_ends() -> None:
    script = "cat > /opt/a.sh <<'EOF'\n#!/bin/sh\nsh /opt/b.sh\nEOF\ncp /opt/a.sh /opt/b.sh\nsh /opt/a.sh\n"
    facts_of(f"#!/bin/sh\n{script * 20}")
    facts_of("#!/bin/sh\ncat > /opt/a.sh <<'EOF'\n#!/bin/sh\ncat $0 > /opt/a.sh\n. /opt/a.sh\nEOF\n. /opt/a.sh\n")


def test_large_input_is_bounded() -> None:
    rows = "\n".join(f"echo 'line {number}' >> /usr/local/bin/x.sh" for number in range(3000))
    facts_of(f"#!/bin/sh\n{rows}\n")
    facts_of(
        "#!/bin/bash\nA=("
        + " ".join(f"h{n}.vendor.example" for n in range(5000))
        + ')\nfor a in "${A[@]}"; do ping $a; done\n'
    )


def test_a_removal_that_no_upgrade_takes_is_not_told_and_a_fresh_install_is_told_apart() -> None:
    text = '#!/bin/sh\nset -e\nif [ "$1" = configure ] && [ -z "$2" ]; then useradd -r app; fi\nif [ "$1" = remove ]; then reboot; fi\n'
    found = facts_of(text, "x.deb!/control.tar.xz!/./postinst", "shell")
    assert {fact.evidence.when for fact in found} == {"only on a fresh install"}  # type: ignore[attr-defined]


def test_texts_that_grow_out_of_little_are_bounded() -> None:
    doubled = facts_of("#!/bin/sh\nA=aaaaaaaa\n" + "A=$A$A\n" * 60 + "rm -rf /opt/app\n")
    assert any(isinstance(fact, FileEffect) and fact.path == "/opt/app" for fact in doubled)
    prepended = facts_of("#!/bin/sh\n" + 'A="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$A"\n' * 1500)
    assert [fact.reason for fact in prepended if isinstance(fact, Unread)] == [Reason.BUDGET]
    assert not [fact for fact in facts_of("#!/bin/sh\n" + "A+=aaaaaaaaaaaa\n" * 1000) if isinstance(fact, Unread)]

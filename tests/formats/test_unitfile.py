"""Unit files as systemd.syntax(7) has them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fulldress.formats import unitfile

UNIT = """\
# a comment
[Unit]
Description=The relay
Requires=postgresql.service network.target
BindsTo = \\
  containerd.service \\
# between the lines
  sockets.socket
PartOf=old.service
PartOf=
PartOf=new.service
[Service]
Requires=nothing.service
ExecStart=/opt/relay/bin/relayd --x=1
"""


def test_lines_sections_and_continuation() -> None:
    found = list(unitfile.assignments(UNIT))
    assert [(a.line, a.section, a.key) for a in found][:3] == [
        (3, "Unit", "Description"),
        (4, "Unit", "Requires"),
        (5, "Unit", "BindsTo"),
    ]
    assert found[2].value == "containerd.service sockets.socket"
    assert found[-1].value == "/opt/relay/bin/relayd --x=1"


def test_what_takes_a_unit_down_with_it() -> None:
    assert unitfile.depends(UNIT) == ("postgresql", "containerd", "sockets.socket", "new")


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    assert all(a.key and a.line >= 1 for a in unitfile.assignments(text))

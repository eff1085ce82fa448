"""Columns: nothing is wider than it may be, nothing is lost, and words break where a reader would break them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fulldress.report import columns
from fulldress.report.words import plain

texts = st.text(st.sampled_from("ab /.:-_,é "), max_size=80)


@given(texts, st.integers(1, 30))
def test_wrapping_keeps_every_letter_and_the_width(text: str, width: int) -> None:
    lines = columns.wrap(text, width)
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(texts, st.integers(4, 30))
def test_shortened_texts_fit(text: str, width: int) -> None:
    assert len(columns.middle(text, width)) <= width
    assert len(columns.end(text, width)) <= width
    if len(text) <= width:
        assert columns.middle(text, width) == text


def test_breaks() -> None:
    assert columns.wrap("webhook relay.dten.example/events stays", 20) == [
        "webhook",
        "relay.dten.example/",
        "events stays",
    ]
    assert columns.wrap("orders_customer_placed", 16) == ["orders_customer_", "placed"]
    assert columns.middle("migrate-0004_total_bigint", 20) == "migrate-0004_…bigint"
    assert columns.end("it hangs, or fails there", 15) == "it hangs, or…"
    assert columns.packed(["aaaa", "bbbb", "cc"], 11) == ["aaaa   bbbb", "cc"]
    assert columns.rows(["a b", "12"], [2, 4], right=[1]) == ["a     12", "b"]


def test_of_a_path_that_does_not_fit_the_beginning_is_shown() -> None:
    assert columns.end("preinst deletes /etc/logrotate.d/relayd-full", 40) == "preinst deletes /etc/logrotate.d/relayd…"


def test_members_of_a_deb_are_named_as_dpkg_names_them() -> None:
    assert plain("control.tar.xz!/postinst deletes /etc/a") == "postinst deletes /etc/a"
    assert plain("data.tar.zst!/./etc/a.conf, data.tar.zst!/etc/b.conf") == "/etc/a.conf, /etc/b.conf"
    assert plain("debs/a.deb!/control.tar.gz!/./preinst:3") == "debs/a.deb!/preinst:3"
    assert plain("app/data.tar.gz!/etc/a") == "app/data.tar.gz!/etc/a"

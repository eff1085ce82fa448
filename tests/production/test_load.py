from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress import production
from fulldress.errors import BadLogFormat, BadSyntax, MissingFolder, NoDescription, ProductionError, UnknownKey
from fulldress.production.load import parse_size
from fulldress.production.positions import positions

ERRORS = {
    'x = "a"': (UnknownKey, 'production.toml:1: unknown key "x" in the file\'s top level; known are name,'),
    '[folders]\n\nroot = "."\ninventroy = "a"': (
        UnknownKey,
        'production.toml:4: unknown key "inventroy" in [folders]; did you mean "inventory"?',
    ),
    '[[endpoints]]\nhost = "a.example"\n[[endpoints]]\nhost = "b.example"\nretierd = true': (
        UnknownKey,
        'production.toml:5: unknown key "retierd" in [endpoints]; did you mean "retired"?',
    ),
    '[databases.main]\nmajor = "15"': (BadSyntax, 'production.toml:2: "databases.main.major" must be a whole number'),
    "[databases]\nmain = 3": (BadSyntax, 'production.toml:2: "databases.main" must be a table, not a whole number'),
    '[services.a]\nstart = "run"': (BadSyntax, 'production.toml:2: "services.a.start" must be a list, not a string'),
    "[[endpoints]]\nport = 3": (BadSyntax, 'production.toml:1: "host" is missing in [endpoints]'),
    '[[databases.a.traffic]]\nname = "q"\nsql = """\nselect\n1"""\nper_second = true': (
        BadSyntax,
        'production.toml:6: "databases.a.traffic[1].per_second" must be a number',
    ),
    'zone = "Mars/Base"': (BadSyntax, 'production.toml:1: "zone": "Mars/Base" is no time zone'),
    '[partitions]\n"/" = "1 GiB"\n"/var" = "2 Gib b"': (BadSyntax, 'production.toml:3: "partitions./var": "2 Gib b"'),
    '[[endpoints]]\nhost = "a.example"\npolicy = "retierd"': (BadSyntax, 'production.toml:3: unknown policy "retierd"'),
    '[[endpoints]]\nhost = "https://a.example/x"': (BadSyntax, "production.toml:2:"),
    '[components.a]\nscheme = "calver"': (BadSyntax, 'production.toml:2: unknown version scheme "calver"'),
    "[channels.ops]": (BadSyntax, "production.toml:1: [channels.ops] needs exactly one of file and command"),
    '[databases.a]\nurl = "x"\ndump = "y"': (BadSyntax, "production.toml:3: [databases.a] has both url and dump"),
    "[window]\nstarts = 2026-01-31T02:00:00": (BadSyntax, "production.toml:2: the window's start has no offset"),
    "[window]\nstarts = 2026-01-31": (BadSyntax, 'production.toml:2: "window.starts" must be a date and time'),
    "[window]\nminutes = nan": (BadSyntax, 'production.toml:2: "window.minutes" is nan'),
    "[window]\nminutes = 1e300": (BadSyntax, 'production.toml:2: "window.minutes" is 1e+300'),
    "[window]\nminutes = -3": (BadSyntax, 'production.toml:2: "minutes" is below 0'),
    '[databases.a]\ndump = "gone.sql"': (BadSyntax, 'production.toml:2: "gone.sql" is no file'),
    '[services.a]\nhealth = "127.0.0.1:80/health"': (
        BadSyntax,
        'production.toml:2: "127.0.0.1:80/health" is no address',
    ),
    "[traffic]\nscale = 0": (BadSyntax, 'production.toml:2: "scale" must be above 0'),
    '[traffic]\nformat = "$status"': (BadLogFormat, "it has no time of the request"),
    'name = "a"\nname = "b"': (BadSyntax, "production.toml:2: not TOML: cannot overwrite a value"),
    "a = [1,\n2": (BadSyntax, "production.toml:2: not TOML"),
    '[folders]\nlogs = "nowhere"': (MissingFolder, "nowhere: no such folder. Create it with"),
    'services = { a = { start = ["x"], helth = "y" } }': (UnknownKey, 'production.toml:1: unknown key "helth"'),
}


@pytest.mark.parametrize("text", ERRORS, ids=range(len(ERRORS)))
def test_errors_name_the_line_and_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "production.toml").write_text(text)
    kind, words = ERRORS[text]
    with pytest.raises(kind) as caught:
        production.load(tmp_path)
    assert words in str(caught.value)
    assert caught.value.exit_code == 5


def test_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "production.toml").write_bytes(b'\xef\xbb\xbfname = "a"\r\n[window]\r\nminutes = 5.0\r\n')
    assert production.load(tmp_path).description.window.minutes == 5


def test_no_description(tmp_path: Path) -> None:
    with pytest.raises(NoDescription, match=r"no production\.toml in it"):
        production.load(tmp_path)
    with pytest.raises(MissingFolder):
        production.load(tmp_path / "nowhere")


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "production.toml").write_bytes(b'name = "a"\nzone = "\xff"\n')
    with pytest.raises(BadSyntax, match=r"production\.toml:2: not UTF-8"):
        production.load(tmp_path)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "production.toml").write_text(text, encoding="utf-8", errors="replace")
    try:
        production.load(folder)
    except ProductionError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2 GiB", 2**31), ("500MB", 500_000_000), ("1.5G", 3 * 2**29), ("0", 0), ("17 b", 17)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1 GiB", "1 GiB free", "1,5 GiB", "1e3"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_positions_see_through_multiline_values_and_quoted_keys() -> None:
    text = 'a = """\n[no.table]\nb = 1\n"""\n[x."y.z"]\nk = [\n  "q = 1",\n]\n[[t]]\n[[t]]\nn.m = 1\n[t.sub]\nv = 1\n'
    found = positions(text)
    assert found[("a",)] == 1
    assert ("b",) not in found
    assert found[("x", "y.z", "k")] == 6
    assert found[("t", 1, "n", "m")] == 11
    assert found[("t", 1, "sub", "v")] == 13

"""Every format: positions, editing of one key, broken input with its line; and that nothing else ever escapes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fulldress import formats
from fulldress.errors import BadSyntax

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(path.parent for path in CASES.rglob("expected.json"))


def _input(case: Path) -> Path:
    return next(path for path in sorted(case.iterdir()) if path.name != "expected.json")


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_cases(case: Path) -> None:
    """``keys``: all of them as [name, value, line, column]; ``error``: the line; ``edits``: [key, value, text after]."""
    file = _input(case)
    wanted = json.loads((case / "expected.json").read_text())
    text = file.read_bytes().decode()
    name = wanted.get("name", file.name)
    if "error" in wanted:
        with pytest.raises(BadSyntax) as caught:
            formats.parse(name, text)
        assert caught.value.values["line"] == wanted["error"]
        return
    assert formats.detect(name, text) == wanted["format"]
    assert [[k.name, k.value, k.line, k.column] for k in formats.parse(name, text)] == wanted["keys"]
    for key, value, after in wanted.get("edits", []):
        assert formats.edit(name, text, key, value) == after


TEXTS = {
    "a.ini": "top = 1\n\n[server]\n; the port\nport = 80\nhost: localhost\n",
    "a.conf": "# defaults\na.b = 1\nc.d = two words # why\n",
    "a.properties": "# c\na.b=1\nlong = x\\\n  y\nlast:z\n",
    "a.env": "# c\nexport A='x y'\nB=2\n",
    "a.json": '{\n  "a": {"b": 1, "c": "x"},\n  "d": [1, {"e": true}]\n}\n',
    "a.yaml": "# c\na:\n  b: 1\n  c: 'x'\nd:\n  - e\n  - f: g\n    h: i\n",
    "a.toml": '# c\na = 1\n[s]\nb = "x" # why\n[[l]]\nk = 1\n',
    "a.xml": '<c>\n  <!-- c -->\n  <add key="a" value="b"/>\n  <srv port="80"><host>h</host></srv>\n</c>\n',
    "nginx.conf": "# c\nhttp {\n  server { listen 80; }\n  server { listen 81; root '/x y'; }\n}\n",
    "sshd_config": "# c\nPort 22\nPermitRootLogin no\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_setting_a_key_changes_that_key_alone(name: str) -> None:
    text = TEXTS[name]
    before = {k.name: k.value for k in formats.parse(name, text)}
    for key in before:
        after = formats.edit(name, text, key, "77")
        assert {k.name: k.value for k in formats.parse(name, after)} == {**before, key: "77"}
        assert formats.edit(name, text, key, before[key]) == text


@pytest.mark.parametrize("name", TEXTS)
def test_a_new_key_is_added_and_can_be_removed_again(name: str) -> None:
    text = TEXTS[name]
    before = {k.name: k.value for k in formats.parse(name, text)}
    after = formats.edit(name, text, "fresh", "v w")
    assert {k.name: k.value for k in formats.parse(name, after)} == {**before, "fresh": "v w"}
    again = formats.edit(name, after, "fresh", None)
    assert {k.name: k.value for k in formats.parse(name, again)} == before
    assert formats.edit(name, text, "absent", None) == text


@pytest.mark.parametrize("name", TEXTS)
def test_comments_survive(name: str) -> None:
    after = formats.edit(name, TEXTS[name], "fresh", "1")
    assert ("c" in after.split("\n")[0]) == ("c" in TEXTS[name].split("\n")[0])
    assert after.count("why") == TEXTS[name].count("why")


SAFE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029\ufeff"),
    max_size=30,
)
NAMES = st.text("abcXYZ_", min_size=1, max_size=8)
TREES = st.recursive(
    SAFE,
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
    max_leaves=12,
)


def _leaves(tree: object, name: str = "") -> dict[str, str]:
    if isinstance(tree, dict):
        return {
            k: v for part, inner in tree.items() for k, v in _leaves(inner, f"{name}.{part}" if name else part).items()
        }
    if isinstance(tree, list):
        return {k: v for i, inner in enumerate(tree) for k, v in _leaves(inner, f"{name}[{i}]").items()}
    return {name: str(tree)}


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
def test_json_and_yaml_read_what_was_written(tree: dict[str, object]) -> None:
    for name, text in (("a.json", json.dumps(tree, indent=2)), ("a.yaml", yaml.safe_dump(tree, allow_unicode=True))):
        assert {k.name: k.value for k in formats.parse(name, text)} == _leaves(tree)


@given(st.dictionaries(NAMES, SAFE, min_size=1, max_size=4), SAFE)
def test_edited_values_read_back(values: dict[str, str], new: str) -> None:
    key = next(iter(values))
    for name, text in (
        ("a.json", json.dumps(values)),
        ("a.yaml", yaml.safe_dump(values, allow_unicode=True)),
        ("a.toml", "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in values.items())),
    ):
        after = formats.edit(name, text, key, new)
        assert {k.name: k.value for k in formats.parse(name, after)} == {**values, key: new}
    assert tomllib.loads(after)[key] == new or not isinstance(tomllib.loads(after)[key], str)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(formats.FORMATS)),
    st.text(st.sampled_from("ab=:#;[]{}<>/\"'\\\n \t-&*!.,01é\x00"), max_size=80),
)
@example("yaml", "a: &a [*a]\n")
@example("xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
@example("toml", "a = [\n")
def test_hostile_text_is_read_or_refused_with_a_line(format: str, text: str) -> None:
    try:
        keys = formats.parse("x", text, format)
    except BadSyntax as error:
        assert error.values["line"] >= 1
    else:
        assert all(key.line >= 1 and key.column >= 1 for key in keys)


def test_yaml_bomb_ends_as_an_error() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
    )
    with pytest.raises(BadSyntax, match="more than"):
        formats.parse("bomb.yaml", bomb)


@pytest.mark.parametrize("format", ["json", "yaml", "xml", "toml", "nginx"])
def test_deep_nesting_ends_as_an_error(format: str) -> None:
    deep = {
        "json": "[" * 5000,
        "yaml": "[" * 5000,
        "xml": "<a>" * 5000,
        "toml": "a = " + "[" * 5000,
        "nginx": "a {" * 5000,
    }[format]
    with pytest.raises(BadSyntax):
        formats.parse("x", deep, format)

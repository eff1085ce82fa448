"""Rules of the house that no linter holds. (Imports that point down only are import-linter's task: ``make check``.)"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "src").rglob("*.py"))
#: A module reads in one sitting: 150-250 lines are typical, 400 are a smell, and more than this is none any more.
LONGEST = 700
SMELL = 400
#: The example product belongs to examples/ and tests/ alone.
EXAMPLE = "dten"
#: Written in pieces, so that this file is not found by its own search.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("rubygems", "org"), ("crates", "io"),
        ("maven", "org"), ("goproxy", "io"), ("proxy", "golang", "org"), ("docker", "io"), ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
)  # fmt: skip
#: Folders that only exist on a developer's machine.
PRIVATE = re.compile(r"(?<![\w.])/(?:work/(?:main|shared|\.\w)|home/(?!linuxbrew|ubuntu/x)[a-z]\w*/\w|Users/\w+/|root/\.\w|tmp/(?:brief|bash)\w*)")  # fmt: skip


def committed() -> list[Path]:
    """Text files that git knows, without what generates noise of its own."""
    if shutil.which("git") is None:
        pytest.skip("no git on this machine: which files are committed is not known")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files are committed is not known")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and b"\0" not in path.read_bytes()[:8192]:
            found.append(path)
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """``file:line: text`` of every committed line that the pattern finds."""
    hits = []
    for path in committed():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if found := pattern.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {found[0]}")
    return hits


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src/fulldress")))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), (
        f"{path}: a module says in its docstring what it is"
    )


def test_modules_read_in_one_sitting() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    smelly = sorted(((lines, name) for name, lines in sizes.items() if lines > SMELL), reverse=True)
    assert not [name for lines, name in smelly if lines > LONGEST], f"over {SMELL} lines: {smelly}"


def test_the_example_product_is_unknown_to_the_program() -> None:
    word = re.compile(rf"(?<![a-z]){EXAMPLE}(?![a-z])", re.IGNORECASE)
    named = [str(path.relative_to(ROOT)) for path in MODULES if word.search(path.read_text(encoding="utf-8"))]
    assert named == []


def test_no_registry_is_named() -> None:
    hosts = "|".join(re.escape(host) for host in REGISTRIES)
    assert lines_with(re.compile(rf"(?<![\w-])(?:[\w-]+\.)*(?:{hosts})(?![\w-])")) == []


def test_no_path_of_a_developers_machine() -> None:
    assert [hit for hit in lines_with(PRIVATE) if not hit.startswith("tests/test_house.py")] == []


def test_no_bin_of_leftovers() -> None:
    """Modules and folders are named after the trade, never after what is left over."""
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "tools"}
    assert [str(p.relative_to(ROOT)) for p in MODULES if vague & {p.stem, p.parent.name}] == []

"""Expressions that are compiled at their first use: each of them compiles, and behaves like a compiled one."""

from __future__ import annotations

import copy
import gc
import importlib
import pickle
import pkgutil
import re

import pytest

import fulldress
from fulldress.patterns import Lazy, regex


def test_all_of_them_compile() -> None:
    for module in pkgutil.walk_packages(fulldress.__path__, "fulldress."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [thing for thing in gc.get_objects() if type(thing) is Lazy]
    for one in found:
        assert isinstance(one.pattern, str | bytes), one
    assert len(found) > 500


def test_nothing_of_the_methods_differs() -> None:
    one, other = regex(r"(?P<a>\w)(\d)", re.I), re.compile(r"(?P<a>\w)(\d)", re.I)
    assert one.sub("-", "a1 b2") == other.sub("-", "a1 b2")
    assert [match.group() for match in one.finditer("a1 b2")] == ["a1", "b2"]
    assert one.pattern == other.pattern and one.flags == other.flags and one.groups == 2
    assert one.groupindex == {"a": 1}
    assert regex(rb"x").search(b"axb")


def test_a_faulty_one_is_told_at_its_first_use() -> None:
    faulty = regex("(")
    with pytest.raises(re.error):
        faulty.search("")


def test_it_can_be_copied_before_and_after_its_first_use() -> None:
    one = regex("a+")
    for _ in range(2):
        assert copy.copy(one).fullmatch("aa") and pickle.loads(pickle.dumps(one)).fullmatch("aa")  # noqa: S301
        assert copy.deepcopy(one).fullmatch("aa")
        one.search("")
    assert repr(regex("a", re.I)).startswith("regex('a'")

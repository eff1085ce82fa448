"""The flat list of a Python tree holds what ``ast.walk`` gives, in its order."""

from __future__ import annotations

import ast
from pathlib import Path

import fulldress
from fulldress.package.pythontree import calls, nodes

_ODD = """
async def f(a, /, b: g(1) = h(2), *c, d=i(3), **e) -> j(4):
    async with k(5) as x, l(6): pass
    return [y async for y in m(7) if n(8)], {**o(9), p(10): q(11)}, f"{r(12):{s(13)}}", t(14)[u(15):v(16)], not w(17)
match x(1):
    case Y(z=3) | [1, *_] if aa(2): pass
try: pass
except* bb(3): cc(4)(dd(5))
"""


def test_the_list_is_that_of_ast_walk_but_for_contexts_and_operators() -> None:
    left_out = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
    texts = [path.read_text() for path in sorted(Path(fulldress.__file__).parent.glob("package/*.py"))]
    for text in [_ODD, *texts]:
        tree = ast.parse(text)
        assert nodes(tree) == [node for node in ast.walk(tree) if not isinstance(node, left_out)]
        assert calls(tree) == [node for node in ast.walk(tree) if isinstance(node, ast.Call)]

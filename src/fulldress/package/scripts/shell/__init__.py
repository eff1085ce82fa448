"""The shell: its words, what they mean, and the order in which its statements are followed.

Each module is one idea and one class upon the one before: words, what is known, assignments, scripts within scripts,
commands (with the shell's own in ``builtins``), branches, loops, redirections, statements.
"""

from __future__ import annotations

from fulldress.package.scripts.shell.statements import Exhausted, Shell

__all__ = ["Exhausted", "Shell"]

"""Variables that make other programs run something first: what is in them is a part of the script.

Sources: bash(1) ``BASH_ENV``, sh(1) ``ENV``, perlrun(1), python(1), node's, Ruby's and the JVM's manuals, git(1).
"""

from __future__ import annotations

from fulldress.patterns import regex

#: A file that a shell reads before its own script.
SOURCED = frozenset({"BASH_ENV", "ENV"})
#: A command that another program runs instead of its own.
COMMANDS = frozenset(
    {
        "GIT_SSH_COMMAND",
        "GIT_EDITOR",
        "RSYNC_RSH",
        "CVS_RSH",
        "LESSOPEN",
        "PROMPT_COMMAND",
        "GIT_ASKPASS",
        "SSH_ASKPASS",
    }
)
_CODE = {
    "PERL5OPT": regex(r"-[Mm]|-d"),
    "PERL5DB": regex(r"\S"),
    "PYTHONSTARTUP": regex(r"\S"),
    "RUBYOPT": regex(r"-r"),
    "NODE_OPTIONS": regex(r"(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)\b"),
    "JAVA_TOOL_OPTIONS": regex(r"-(?:javaagent|agentpath|agentlib)\b"),
    "JDK_JAVA_OPTIONS": regex(r"-(?:javaagent|agentpath|agentlib)\b"),
}


def unread(name: str, value: str) -> bool:
    """Whether the variable makes a program load code that nobody here reads."""
    return name in _CODE and _CODE[name].search(value) is not None

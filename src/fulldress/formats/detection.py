"""Which format a text is in: by its suffix, and for ``*.conf`` and files without a suffix by what its lines look like."""

from __future__ import annotations

import re

from fulldress.patterns import regex

_SUFFIXES = {
    "ini": "ini", "cfg": "ini", "cnf": "", "conf": "", "config": "", "properties": "properties", "env": "env",
    "json": "json", "jsonc": "json", "json5": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "xml": "xml",
    "service": "ini", "timer": "ini", "socket": "ini", "desktop": "ini", "editorconfig": "ini",
}  # fmt: skip
_TEMPLATES = (
    "dist",
    "default",
    "defaults",
    "example",
    "sample",
    "template",
    "tmpl",
    "in",
    "orig",
    "new",
    "dpkg-dist",
    "rpmnew",
)
_PLACES = regex(r"(?:^|/)(?:etc/default|etc/sysconfig|etc/conf\.d)/[^/]+$|(?:^|/)\.?env(?:\.[\w-]+)?$")
_SECTION = regex(r"(?m)^\s*\[[^\[\]\n]+\]\s*(?:[#;].*)?$")
_PAIR = regex(r"^\s*[\w.\-/]+(?:\[\w*\])?\s*[=:]")
_SHELL = regex(r"^\s*(?:export\s+)?[A-Z_][A-Z0-9_]*=\S*")
_WORDS = regex(r"^\s*[A-Za-z_][\w.\-/]*(?:\s+\S|$)")


def detect(name: str, text: str) -> str:
    """One of :data:`fulldress.formats.FORMATS`, or empty where nothing fits."""
    if _PLACES.search(name):
        return "env"
    parts = name.rsplit("/", 1)[-1].lower().split(".")
    while len(parts) > 1 and (parts[-1] in _TEMPLATES or parts[-1].isdigit()):
        parts.pop()
    suffix = parts[-1] if len(parts) > 1 else ""
    if known := _SUFFIXES.get(suffix):
        return known
    return _by_content(text)


def _by_content(text: str) -> str:
    head = text.lstrip("\ufeff \t\r\n")
    if head.startswith("<?xml") or re.match(r"<[A-Za-z][^>]*>\s*<", head):
        return "xml"
    if re.match(r'\{\s*(?:"|\})|\[\s*(?:\{|"|\]|\d)', head):
        return "json"
    if head.startswith(("---\n", "%YAML")):
        return "yaml"
    if head and not re.sub(r"(?m)^\s*[#;].*$", "", head).strip():
        return "ini"  # nothing but comments
    lines = [line for line in text.splitlines()[:400] if line.strip() and not re.match(r"\s*(?:[#;]|//)", line)]
    if not lines:
        return "ini" if text.strip() or not text else ""
    share = 1 / len(lines)
    closed = (
        sum(line.rstrip().endswith((";", "{", "}")) or re.search(r";\s*#", line) is not None for line in lines) * share
    )
    if closed > 0.6:
        return "nginx"
    pairs = sum(_PAIR.match(line) is not None for line in lines) * share
    sections = _SECTION.search(text) is not None
    bare = sum(re.fullmatch(r"\s*[A-Za-z][\w\-]*\s*", line) is not None for line in lines) * share  # my.cnf: a switch
    headed = sections and _SECTION.match(lines[0]) is not None and pairs > 0 and pairs + bare + share > 0.9
    if sections and (pairs > 0.3 or len(lines) < 4 or headed):
        return "ini"
    if pairs > 0.6:
        return "env" if sum(_SHELL.match(line) is not None for line in lines) == len(lines) else _pairs(lines)
    if sum(_WORDS.match(line) is not None or line.strip().startswith("<") for line in lines) * share > 0.8:
        return "directives" if _looks_set(lines) else ""
    return ""


def _pairs(lines: list[str]) -> str:
    """``key: value`` with white space behind the colon throughout, or nested, is YAML; everything else is INI."""
    colons = sum(re.match(r"\s*[\w.\-/\"']+:(?:\s|$)", line) is not None for line in lines)
    equals = sum(re.match(r"\s*[\w.\-/]+\s*=", line) is not None for line in lines)
    return "yaml" if colons > equals and colons >= len(lines) * 0.5 else "ini"


def _looks_set(lines: list[str]) -> bool:
    """Whether lines of words are directives, not prose: short, and hardly a sentence among them."""
    sentences = sum(line.rstrip().endswith((".", ":", ",", "?", "!")) or len(line.split()) > 12 for line in lines)
    return sentences <= len(lines) * 0.15

"""Metadata of package formats: Debian control, Python METADATA, npm package.json, JAR MANIFEST.MF."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Downtime, Evidence, Reason, Reboot, Release, Requirement, Unread, Witness, excerpt
from fulldress.package.manifests import prose, replaced
from fulldress.package.manifests.document import Leaf, Tree
from fulldress.package.manifests.durations import day
from fulldress.package.manifests.generic import requirement
from fulldress.package.manifests.looseness import score
from fulldress.package.manifests.requirements import Wanted
from fulldress.package.reader import Member
from fulldress.patterns import regex

_FIELD = regex(r"([!-9;-~]+):[ \t]*(.*)$")
_DEPENDENCY = regex(
    r"\s*([A-Za-z0-9][A-Za-z0-9+.\-]*)(?::\w+)?\s*(?:\(\s*([^)]*?)\s*\))?\s*(?:\[[^\]]*\])?\s*(?:<[^>]*>\s*)*$"
)
_PYTHON = regex(r"\s*([A-Za-z0-9][\w.\-]*)\s*(?:\[[^\]]*\])?\s*(?:@\s*(\S+)|\(?\s*([^;()]*?)\s*\)?)\s*(?:;\s*(.*))?$")


def fields(text: str) -> Iterator[tuple[str, str, int]]:
    """Name (lower case), value and line of the fields of an RFC 822-like header; folded lines are joined by a newline."""
    name, value, line = "", "", 0
    for number, row in enumerate(text.splitlines(), 1):
        if not row:
            break
        if (
            row[:1] in " \t" and name
        ) or not row.strip():  # a line of blanks continues a field, as a licence's text has them
            value += "\n" + row[1:]
        elif match := _FIELD.match(row):
            if name:
                yield name, value, line
            name, value, line = match[1].lower(), match[2], number
    if name:
        yield name, value, line


def debian(member: Member) -> Iterator[AnyFact]:
    """A binary package's control file (deb-control(5))."""
    found = {name: (value, line) for name, value, line in fields(member.text)}
    if "package" not in found or "version" not in found:
        return
    product, version = found["package"][0], found["version"]
    yield Release(
        witness=Witness.DECLARED, evidence=member.evidence(version[1], 0, f"{product} {version[0]}"), product=product,
        version=version[0], aspect="control", vendor=re.sub(r"\s*<.*", "", found.get("maintainer", ("", 0))[0]),
    )  # fmt: skip
    for name, optional in (("pre-depends", False), ("depends", False), ("recommends", True)):
        value, line = found.get(name, ("", 0))
        for clause in _joined(value.replace("\n", " ")):
            yield from _debian_clause(member, clause, line, optional)
    yield from replaced.debian(member, list(fields(member.text)))
    description, line = found.get("description", ("", 0))
    if description:
        yield from (fact for fact in prose.read(member, description, line) if isinstance(fact, Downtime | Reboot))


def _joined(value: str) -> list[str]:
    """The clauses of a dependency field; two bounds of one package, ``a (>= 1), a (<< 2)``, are one clause."""
    found: dict[str, str] = {}
    for clause in value.split(","):
        match = re.match(r"\s*([\w.+\-]+)(?::\w+)?\s*\(([^)]*)\)\s*$", clause)
        name = match[1] if match else clause.strip()
        if match and name in found and found[name].endswith(")"):
            found[name] = f"{found[name][:-1]}, {match[2]})"
        else:
            found.setdefault(name, clause)
    return list(found.values())


def _debian_clause(member: Member, clause: str, line: int, optional: bool) -> Iterator[Requirement]:
    """One dependency; of alternatives the first, which is the one that is installed where none is there yet."""
    first, *others = clause.split("|")
    match = _DEPENDENCY.match(first)
    if match is None or not first.strip():
        return
    looseness, admits = score(match[2] or "", "deb")
    yield Requirement(
        witness=Witness.DECLARED, evidence=member.evidence(line, 0, " ".join(clause.split())), component=match[1],
        constraint=match[2] or "", looseness=looseness, scheme="deb", admits=admits, optional=optional,
        alternatives=tuple(" ".join(other.split()) for other in others),
    )  # fmt: skip


def python(member: Member) -> Iterator[AnyFact]:
    """Core metadata of a wheel or sdist."""
    rows = list(fields(member.text))
    found = {name: (value, line) for name, value, line in rows}
    if "name" not in found or "version" not in found:
        return
    name, (version, line) = found["name"][0], found["version"]
    author = next((found[f][0] for f in ("author", "maintainer", "author-email", "maintainer-email") if f in found), "")
    yield Release(
        witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"{name} {version}"), product=name, version=version,
        aspect="metadata", vendor=re.sub(r"\s*<.*?>", "", author).strip().strip("\"'"),
    )  # fmt: skip
    if "requires-python" in found:
        value, line = found["requires-python"]
        yield requirement(member, Wanted("python", value.strip(), line, 0), "pep440", host=True)
    for field, value, line in rows:
        if field == "requires-dist" and (match := _PYTHON.match(value)):
            optional = "extra" in (match[4] or "")
            yield requirement(
                member, Wanted(match[1], (match[2] or match[3] or "").strip(), line, 0, optional), "pep440"
            )


def pip(member: Member) -> Iterator[AnyFact]:
    """A requirements file (pip's manual, "Requirements File Format"); options are no requirements."""
    for number, row in enumerate(re.sub(r"\\\r?\n", " ", member.text).splitlines(), 1):
        text = re.sub(r"(?:^|\s)#.*", "", row).strip()
        text = re.sub(r"\s--(?:hash|config-settings|global-option)\S*", "", text)
        address = re.match(r"(?:(?:-e|--editable)[ =])?\s*((?:git|hg|svn|bzr)\+\S+|https?://\S+)$", text)
        if address:
            named = re.search(r"#egg=([\w.\-]+)", address[1])
            name = named[1] if named else re.sub(r"(?:\.git)?(?:@[^/]*)?(?:#.*)?$", "", address[1]).rsplit("/", 1)[-1]
            yield requirement(member, Wanted(name, address[1].partition("#")[0], number, 0), "pep440")
        elif text and not text.startswith("-") and (match := _PYTHON.match(text)):
            optional = "extra" in (match[4] or "")
            yield requirement(
                member, Wanted(match[1], (match[2] or match[3] or "").strip(), number, 0, optional), "pep440"
            )


def npm(member: Member, tree: Tree) -> Iterator[AnyFact]:
    """A package.json that names a package and its version."""
    if not isinstance(tree, dict):
        return
    name, version = tree.get("name"), tree.get("version")
    if isinstance(name, Leaf) and isinstance(version, Leaf):
        author = tree.get("author")
        vendor = author.value if isinstance(author, Leaf) else ""
        if isinstance(author, dict) and isinstance(leaf := author.get("name"), Leaf):
            vendor = leaf.value
        yield Release(
            witness=Witness.DECLARED, evidence=_evidence(member, version), product=name.value, version=version.value,
            aspect="metadata", vendor=re.sub(r"\s*<.*", "", vendor),
        )  # fmt: skip
    groups = (("engines", False), ("dependencies", False), ("peerDependencies", False), ("optionalDependencies", True))
    for group, optional in groups:
        node = tree.get(group)
        for component, leaf in node.items() if isinstance(node, dict) else ():
            if isinstance(leaf, Leaf):
                yield requirement(
                    member,
                    Wanted(component, leaf.value, leaf.line, leaf.column, optional),
                    "npm",
                    host=group == "engines",
                )


def _evidence(member: Member, leaf: Leaf) -> Evidence:
    return member.evidence(leaf.line, leaf.column, leaf.value)


def _agents(member: Member, found: dict[str, tuple[str, int]]) -> Iterator[Unread]:
    """Code that the JVM loads before or beside the program (java.lang.instrument, "Manifest Attributes")."""
    for field, moment in (("launcher-agent-class", "java -jar starts it before the program"),
                          ("premain-class", "-javaagent starts it before a program"),
                          ("agent-class", "it can be loaded into a program that runs")):  # fmt: skip
        name, line = found.get(field, ("", 0))
        if name:
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(line, 0, f"{field}: {name}"), what=f"the agent {excerpt(name, 80)}",
                reason=Reason.NOT_MEASURED, detail=f"{moment}; what its classes do was not read", needed=field.startswith("launcher"),
            )  # fmt: skip
            return


def jar(member: Member) -> Iterator[AnyFact]:
    """The main section of a JAR's manifest (JAR File Specification); a continued line begins with one space."""
    text = re.sub(r"\r?\n ", "", member.text)
    found: dict[str, tuple[str, int]] = {}
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            break
        if match := _FIELD.match(row):
            found[match[1].lower()] = (match[2].strip(), number)

    def of(*names: str) -> tuple[str, int]:
        return next((found[n] for n in names if found.get(n, ("", 0))[0]), ("", 0))

    title = re.sub(
        r";.*", "", of("implementation-title", "bundle-name", "bundle-symbolicname", "specification-title")[0]
    )
    version, line = of("implementation-version", "bundle-version", "specification-version")
    if title and version:
        released = of("build-date", "build-time", "build-timestamp", "built-on", "implementation-build-date")[0]
        yield Release(
            witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"{title} {version}"), product=title, version=version,
            aspect="metadata", released=day(released) if released else None,
            vendor=of("implementation-vendor", "bundle-vendor", "specification-vendor")[0],
        )  # fmt: skip
    yield from _agents(member, found)
    bundles, line = of("require-bundle")
    for clause in re.findall(r'(?:[^,"]++|"[^"]*+"?+)++', bundles):  # a comma between quotes divides nothing
        if clause.strip():
            constraint = re.search(r'bundle-version="([^"]*)"', clause)
            optional = "resolution:=optional" in clause
            yield requirement(
                member,
                Wanted(clause.split(";")[0].strip(), constraint[1] if constraint else "", line, 0, optional),
                "maven",
            )
    java, line = of("require-java-version", "build-jdk-spec")
    if java:
        yield requirement(member, Wanted("java", f">={java}", line, 0), "maven", host=True)

"""Settings that a package ships, and what its documents say becomes of keys.

Settings come from configuration files (by place and name) and from descriptions of settings that name a default; fates
come from release notes and deprecation tables (:mod:`fulldress.package.fates`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress import formats
from fulldress.errors import BadSyntax
from fulldress.facts import MASK, AnyFact, Reason, Setting, Unread, Witness, is_secret_name, mask
from fulldress.package import asked, fates, manifests
from fulldress.package.manifests import prose
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_LARGEST = 4 << 20
_MOST_KEYS = 20_000  #: keys of one file; beyond, it is data
#: Blocks whose rows are a table of characters, types or addresses, not directives (nginx, "Module ngx_http_map_module" and kin).
_TABLE = regex(r"(?:^|\.)(?:charset_map|types|map|geo|split_clients)(?:\[\d+\])?\.")
_CONFIG_DIRS = regex(
    r"(?i)(?:^|/)(?:etc|conf|confs|config|configs|configuration|settings|defaults?|config_templates|conf\.d)/"
)
_CONFIG_NAMES = regex(
    r"(?i)^(?:[\w.\-]*(?:default|config|settings?|conf)s?(?:[-_.][\w\-]+)*|application(?:-[\w\-]+)?|bootstrap|server|app|my|php|redis|nginx|values)"
    r"\.(?:ini|cfg|cnf|conf|properties|ya?ml|toml|json5?|env|xml)(?:\.(?:dist|default|example|sample|template|tmpl|in))?$|"
    r"^\.env(?:\.\w+)*$|^env\.(?:example|sample|dist|default|template)$|^[\w.\-]+\.(?:conf|cnf|properties|ini)(?:\.(?:dist|default|example|sample))?$"
)
_CONFIG_KINDS = ("conf", "ini", "properties", "yaml", "toml", "json", "env", "xml", "text")
_NOT_CONFIG = regex(
    r"(?i)(?:^|/)(?:cron\.[\w]+|crontab|init\.d|systemd|logrotate\.d|pam\.d|sudoers\.d|node_modules|site-packages|dist-packages|tests?|testdata|fixtures|"
    r"docs?|examples?|samples?|ufw/applications\.d|logcheck|insserv\.conf\.d|rsyslog\.d|lintian|bash-completion|apparmor\.d|locales?|i18n|lang|translations|META-INF/maven|debian|\.github|share/doc|share/locale|migrations|bower_components)/|"
    r"(?:^|/)(?:package(?:-lock)?\.json|composer\.json|tsconfig\S*|jsconfig\S*|pyproject\.toml|setup\.cfg|tox\.ini|pytest\.ini|mypy\.ini|alembic\.ini|"
    r"\.editorconfig|[\w.\-]*messages?(?:_\w+)?\.properties|[\w\-]+_[a-z]{2}(?:_[A-Z]{2})?\.properties|pom\.properties|pom\.xml|[\w.\-]*manifest[\w.\-]*|"
    r"openapi\S*|bundlesize\S*|[\w.\-]*(?<![a-z])(?:unit[_\-]?tests?|testing|development|dev)(?:[._\-][\w.\-]*)?\.\w+|swagger\S*|\S*\.schema\.json|\.\w+rc(?:\.json)?|babel\.config\.\w+|\S*lock\.(?:json|ya?ml)|direct_url\.json|RECORD|entry_points\.txt|web\.xml)$"
)


def read(package: Package) -> Iterator[AnyFact]:
    """Settings (``read``), fates of keys (``declared``), and what of both could not be read."""
    owners = manifests.products(package)
    known: set[str] = set()
    documents: list[Member] = []
    for path in sorted(package.members):
        member = package.members[path]
        if member.kind in ("folder", "link", "device", "empty"):
            continue
        described = fates.is_description(member)
        if described or is_configuration(member):
            component = owner(member, owners, package.name)
            for fact in fates.described(member, component) if described else _file(member, component):
                if isinstance(fact, Setting):
                    known.add(fact.key)
                yield fact
        elif prose.is_document(member) or fates.is_table(member):
            documents.append(member)
    for member in documents:
        if member.kept and not re.search(
            r"(?i)(?:^|/)(?:node_modules|site-packages|third[-_]party|bower_components)/", member.inner
        ):
            yield from fates.document(member, owner(member, owners, package.name), known)


def is_configuration(member: Member) -> bool:
    """Whether a file is configuration by its place or name, and in a kind that can be."""
    if member.kind not in _CONFIG_KINDS or _NOT_CONFIG.search(member.path):
        return False
    if _CONFIG_NAMES.match(member.name):
        return member.kind not in ("json", "xml", "yaml") or bool(
            _CONFIG_DIRS.search(member.inner)
            or re.search(r"(?i)default|config|settings|application|values", member.name)
        )
    if not _CONFIG_DIRS.search(member.inner):
        return False
    return member.kind in ("conf", "ini", "properties", "env", "yaml", "toml") or (
        member.kind == "json" and member.inner.count("/") <= 4
    )


def owner(member: Member, owners: dict[str, str], package_name: str) -> str:
    """The component whose settings these are: the product of the nearest container that names one."""
    best = max((prefix for prefix in owners if member.path.startswith(prefix)), key=len, default=None)
    if best is not None:
        return owners[best]
    if len(set(owners.values())) == 1:
        return next(iter(owners.values()))
    stem = re.split(r"[-_ ]v?\d", package_name)[0]
    return re.sub(r"\.(?:zip|tar|tgz|gz|xz|deb|whl|jar|war)\b.*", "", stem).lower()


def _file(member: Member, component: str) -> Iterator[AnyFact]:
    if not member.kept or member.size > _LARGEST:
        yield _gap(member, Reason.BUDGET, f"{member.size:,} bytes are too many for settings")
        return
    format = formats.detect(member.inner, member.text)
    if member.kind in formats.FORMATS and member.kind != "ini":
        format = format or member.kind
    if not format:
        if member.kind != "text" and not _is_data(member.text):
            yield _gap(member, Reason.FORMAT, "no text format that is known")
        return
    try:
        keys = formats.parse(member.inner, member.text, format)
    except BadSyntax as error:
        yield _gap(member, Reason.GRAMMAR, str(error))
        return
    if format == "nginx":
        keys = [key for key in keys if not _TABLE.search(key.name)]
    lines = member.text.splitlines()
    for key in keys[:_MOST_KEYS]:
        secret = bool(key.value) and is_secret_name(key.name)
        line = lines[key.line - 1] if key.line <= len(lines) else ""
        yield Setting(
            witness=Witness.READ, evidence=member.evidence(key.line, key.column, f"{key.name} = {MASK}" if secret else line),
            component=component, key=key.name, value=MASK if secret else mask(key.value), file=member.inner,
        )  # fmt: skip
        yield from asked.read(member, key, line)
    if len(keys) > _MOST_KEYS:
        yield _gap(member, Reason.BUDGET, f"{len(keys):,} keys; the first {_MOST_KEYS:,} were read")


def _is_data(text: str) -> bool:
    """Whether it is a script, or rows of numbers such as moduli(5), rather than settings in an unknown format."""
    rows = [row for row in text.splitlines()[:200] if row.strip() and not row.lstrip().startswith("#")]
    return text.startswith("#!") or (bool(rows) and sum(row[:1].isdigit() for row in rows) > 0.9 * len(rows))


def _gap(member: Member, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=member.evidence(),
        what=f"settings {member.path}",
        reason=reason,
        detail=mask(detail),
    )

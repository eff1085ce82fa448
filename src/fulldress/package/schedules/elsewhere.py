"""Which reader looks at which member, for everything that is no crontab and no timer. Each reader rejects by a few bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fulldress.facts import AnyFact, Schedule
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import (
    clouds,
    clusters,
    databases,
    java,
    jenkins,
    keys,
    programs,
    pythonjobs,
    quartz,
    windows,
)
from fulldress.package.schedules.jobs import Clock
from fulldress.patterns import regex

Reader = Callable[[Package, Member, Clock], Iterator[AnyFact]]
_SCRIPT: tuple[Reader, ...] = (programs.javascript, programs.bree)
_YAML: tuple[Reader, ...] = (clusters.read, clouds.labels, clouds.eventbridge, programs.sidekiq, keys.read)
#: By suffix, since a kind may be told by content as "text". Order counts: the first reader that finds something ends it.
_BY_SUFFIX: dict[str, tuple[Reader, ...]] = {
    "yaml": _YAML, "yml": _YAML, "tpl": (clusters.read,),
    "json": (clusters.read, clouds.eventbridge),
    "template": (clouds.eventbridge,), "tf": (clouds.eventbridge,),
    "nomad": (clouds.nomad,), "hcl": (clouds.nomad,),
    "xml": (windows.read, quartz.read, jenkins.read),
    "class": (java.classes,), "java": (java.sources,), "kt": (java.sources,), "groovy": (java.sources,),
    "py": (pythonjobs.read,),
    "js": _SCRIPT, "cjs": _SCRIPT, "mjs": _SCRIPT, "ts": _SCRIPT,
    "rb": (programs.ruby,), "php": (programs.php,), "go": (programs.go,),
    "sql": (databases.read,), "pgsql": (databases.read,), "ddl": (databases.read,), "pls": (databases.read,), "pkb": (databases.read,),
    "properties": (quartz.properties, keys.read), "conf": (keys.read,), "ini": (keys.read,), "env": (keys.read,),
}  # fmt: skip
_BY_NAME: dict[str, tuple[Reader, ...]] = {"Dockerfile": (clouds.labels,), "Containerfile": (clouds.labels,)}
#: Not the product's own jobs: tests, documents, examples, what builds it, and libraries beside it.
ASIDE = regex(
    r"(?i)(?:^|/)(?:tests?|testing|specs?|__tests__|fixtures|examples|(?<!com/)(?<!org/)example|example_dags|samples?|demos?|docs?|documentation|benchmarks?|"
    r"\.github|\.gitlab|\.circleci|node_modules|bower_components|test[_-]?data|testdata|src/test)/|"
    r"(?:^|/)(?:test_[^/]*|conftest|[^/]*_test|[^/]*[.-](?:test|spec))\.\w+$|(?:^|/)(?:mkdocs|renovate|docker-bake)\.\w+$|(?:^|/)\.gitlab-ci\.yml$"
)


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The schedules of one member."""
    name = member.name
    readers = _BY_SUFFIX.get(name.rsplit(".", 1)[-1].lower()) if "." in name else None
    readers = readers or _BY_NAME.get(name)
    if readers is None and member.kind == "python":  # a program without a suffix, told by its first line
        readers = (pythonjobs.read,)
    if readers is None:
        readers = (windows.read,) if "." not in name and windows.is_task(member) else ()
    if not readers or ASIDE.search(member.path):
        return
    for reader in readers:
        found = list(reader(package, member, clock))
        yield from found
        if any(isinstance(fact, Schedule) for fact in found):
            return

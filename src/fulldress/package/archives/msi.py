"""MSI packages: the files of their cabinets under the names that they get, and what the installer is told to do.

Beside the files a reader finds ``.product`` (the release, read by :mod:`fulldress.package.manifests.msi`), ``.installer.cmd``
(what the sequence of an installation does, in the words of a batch file: :mod:`.msiactions`), ``.actions/NAME`` (scripts in
the tables), ``.tables/NAME.idt`` and the other streams. A compound file without such tables, an old Office document, is
listed by its streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap, Offer, foreign, msiactions, msitables
from fulldress.package.archives.compound import Compound, Stream
from fulldress.package.archives.msitables import Database
from fulldress.package.archives.streams import CHUNK

_SIGNATURE = "\x05DigitalSignature"
_SUMMARY = ("\x05SummaryInformation", "\x05DocumentSummaryInformation", "\x05MsiDigitalSignatureEx", _SIGNATURE)
#: Tables of the widely used extensions whose rows change the host, and which are not put into words here.
_EXTENSIONS = (
    "User", "UserGroup", "Group", "SqlString", "SqlScript", "SqlDatabase", "XmlFile", "XmlConfig", "FirewallException",
    "WixFirewallException", "Wix4FirewallException", "Wix4User", "Wix4SqlString", "Wix4XmlConfig", "Wix4XmlFile", "IIsWebSite",
    "IIsAppPool", "ServiceConfig", "Wix4ServiceConfig", "Certificate", "Perfmon", "LockPermissions", "MsiLockPermissionsEx",
    "SecureObjects", "Wix4SecureObject", "ODBCDriver", "ODBCDataSource", "IniFile", "DuplicateFile", "MoveFile",
    "WixCloseApplication", "WixRestartResource", "ISSQLScriptFile",
)  # fmt: skip


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The product, the installer's steps, the tables, the files, the other streams."""
    file = Compound(source)
    if not any(msitables.name(stream.path) == "!_StringPool" for stream in file.streams):
        for stream in file.streams:
            yield _stream(file, stream, stream.path.replace("\x05", "").replace("\x01", ""), "cfb")
        yield Gap(
            reason=Reason.FORMAT,
            detail="a compound file without the tables of an MSI, perhaps an old Office document: its streams are listed",
            needed=name.lower().endswith((".msi", ".msp", ".msm", ".mst")),
        )
        return
    database = Database(file)
    product, plan = msiactions.product(database), msiactions.plan(database)
    for fault in list(dict.fromkeys(database.faults))[:20]:
        yield Gap(reason=Reason.DAMAGED, detail=fault)
    yield _text(".product", product)
    yield _text(".installer.cmd", plan.text, 0o755)
    for label, text in plan.scripts:
        yield _text(f".actions/{label}", text, 0o755)
    for label, table in sorted(database.tables.items()):
        if table.rows and not label.startswith("_"):
            yield _text(f".tables/{label}.idt", msitables.exported(table))
    taken = set(_SUMMARY)
    yield from _files(file, database, limit, taken)
    for label, stream in sorted(database.streams.items()):
        if label not in taken:
            yield _stream(file, stream, f".streams/{label}", "msi")
    yield from _unknown(database, plan)


def _files(file: Compound, database: Database, limit: int, taken: set[str]) -> Iterator[Offer | Gap]:
    """The files of the cabinets within, and which files lie elsewhere."""
    paths = {key: path.replace("\\", "/").replace("%", "") for key, path in msiactions.paths(database).items()}
    seen: set[str] = set()
    outside: list[str] = []
    for media in database.rows("Media"):
        cabinet = media.get("Cabinet", "")
        stream = database.streams.get(cabinet.removeprefix("#"))
        if not cabinet.startswith("#"):
            outside.append(cabinet or "files beside it")
        elif stream is None:
            yield Gap(reason=Reason.DAMAGED, detail=f"its cabinet {cabinet.removeprefix('#')!r} is missing")
        elif cabinet.removeprefix("#") not in taken:
            taken.add(cabinet.removeprefix("#"))
            for item in foreign.members(file.open(stream), cabinet.removeprefix("#"), limit):
                if isinstance(item, Offer):
                    seen.add(item.name)
                    item.name = paths.get(item.name, f".cabinet/{item.name}")
                    item.container = "msi"
                yield item
    missing = [row["File"] for row in database.rows("File", "File") if row["File"] and row["File"] not in seen]
    if missing:
        where = f" ({', '.join(outside[:3])})" if outside else ""
        some = ", ".join(paths.get(key, key) for key in missing[:3]) + (" …" if len(missing) > 3 else "")
        yield Gap(
            reason=Reason.MISSING if outside else Reason.DAMAGED,
            detail=f"{len(missing):,} files that its tables list lie in no cabinet within it{where}: {some}",
        )


def _unknown(database: Database, plan: msiactions.Plan) -> Iterator[Gap]:
    if plan.libraries:
        some = ", ".join(plan.libraries[:5]) + (" …" if len(plan.libraries) > 5 else "")
        detail = (
            f"{len(plan.libraries)} of its actions are functions of a library, and what they do was not read: {some}"
        )
        yield Gap(reason=Reason.NOT_MEASURED, detail=detail, needed=False)
    for gap in plan.gaps:
        yield Gap(reason=Reason.FORMAT, detail=gap)
    told = [f"{label} ({len(database.rows(label)):,})" for label in _EXTENSIONS if database.rows(label)]
    if told:
        detail = f"tables by which it changes the host and whose rows are listed, not judged: {', '.join(told)}"
        yield Gap(reason=Reason.FORMAT, detail=detail)
    inner = sorted({label.split("/")[0] for label in database.streams if "/" in label})
    if inner:
        yield Gap(
            reason=Reason.FORMAT,
            detail=f"{len(inner)} transforms or patches within it were not applied: what they change is not known",
            needed=not database.rows("InstallExecuteSequence"),
        )
    if _SIGNATURE in database.streams:
        detail = "it has an Authenticode signature, which was not checked (osslsigncode or signtool verify it)"
        yield Gap(reason=Reason.NOT_MEASURED, detail=detail, needed=False)


def _text(name: str, text: str, mode: int = 0o644) -> Offer:
    raw = text.encode("utf-8", "surrogateescape")
    return Offer(name=name, size=len(raw), packed=len(raw), mode=mode, container="msi", chunks=lambda: iter((raw,)))


def _stream(file: Compound, stream: Stream, name: str, container: str) -> Offer:
    def chunks() -> Iterator[bytes]:
        source = file.open(stream)
        source.seek(0)
        given = 0
        while chunk := source.read(CHUNK):
            given += len(chunk)
            yield chunk
        if given < stream.size:
            raise Damage(f"it has {given:,} of {stream.size:,} bytes")

    return Offer(name=name, size=stream.size, packed=stream.size, container=container, chunks=chunks)

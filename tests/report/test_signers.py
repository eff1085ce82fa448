"""Who signed it, told alike on screen and page."""

from __future__ import annotations

import msgspec

import rehearsed
from fulldress.facts import Evidence, Integrity, Signature, Trust, Witness
from fulldress.report import html, view
from fulldress.report.signers import groups, nobody


def signature(path: str, scheme: str = "Authenticode", signer: str = "CN=Vendor", **more: object) -> Signature:
    base = {"integrity": Integrity.INTACT, "trust": Trust.UNKNOWN, "words": "bytes intact"}
    return Signature(
        witness=Witness.READ, evidence=Evidence(path=path), scheme=scheme, path=path, signer=signer, **{**base, **more}
    )  # type: ignore[arg-type]


PACKAGE = signature("a.zip.p7s", "CMS detached", whole=True)
SUMS = signature("SHA256SUMS", "checksums", "")


def test_programs_of_one_signer_are_one_group() -> None:
    found = groups([SUMS, signature("b.exe"), PACKAGE, signature("a.dll"), signature("x/node", "macOS")])
    assert [group.first.path for group in found] == ["a.zip.p7s", "b.exe", "SHA256SUMS"]
    programs = next(group for group in found if group.heading)
    assert programs.heading == "3 programs signed on their own, by CN=Vendor"
    assert programs.paths == ("b.exe", "a.dll", "x/node")


def test_one_that_is_not_intact_stands_by_itself() -> None:
    broken = signature("b.exe", integrity=Integrity.BROKEN, words="the program is not the one that was signed")
    found = groups([signature("a.exe"), broken, signature("c.exe")])
    assert [(group.heading[:10], group.paths) for group in found] == [
        ("2 programs", ("a.exe", "c.exe")),
        ("1 program ", ("b.exe",)),
    ]
    assert found[1].said.startswith("BYTES CHANGED AFTER SIGNING; ")


def test_two_signatures_of_one_program_are_one_program() -> None:
    (found,) = groups([signature("a.exe"), signature("a.exe")])
    assert found.heading == "1 program signed on its own, by CN=Vendor"


def test_that_nobody_signed_the_package() -> None:
    assert nobody([SUMS]).startswith("nobody, as far")
    assert nobody([signature("a.exe")]).startswith("nobody signed the package itself")
    assert nobody([signature("a.exe"), PACKAGE]) == ""
    assert nobody([msgspec.structs.replace(signature("a.exe"), whole=True)]) == ""


def test_the_page_tells_a_group_once() -> None:
    facts = [signature("a.exe"), signature("b.exe"), signature("c.exe")]
    text = html.render(view.build("inspect", rehearsed.Reading(), facts))
    assert text.count("3 programs signed on their own, by CN=Vendor") == 1
    assert text.count("</b> bytes intact.") == 1
    assert "a.exe, b.exe, c.exe" in text

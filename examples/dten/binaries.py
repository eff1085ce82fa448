"""Compiled files for the demo's package, written byte by byte so that they are the same on every machine."""

from __future__ import annotations

import io
import struct
import zipfile


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def go_program(version: str, module: str, built: str) -> bytes:
    """An ELF file with the build information that the Go linker leaves in ``.go.buildinfo`` (format of Go 1.18).

    It prints nothing and ends with 0: seven instructions that call exit(0)."""
    code = bytes.fromhex("b83c00000031ff0f05")  # mov eax, 60; xor edi, edi; syscall
    mark = bytes.fromhex("3077af0c92740802 41e1c107e6d618e6".replace(" ", ""))
    end = bytes.fromhex("f932433186182072 008242104116d8f2".replace(" ", ""))
    lines = f"path\t{module}\nmod\t{module}\t{version}\t\nbuild\tvcs=git\nbuild\tvcs.time={built}\n".encode()
    info = mark + lines + end
    build = b"\xff Go buildinf:\x08\x02".ljust(32, b"\0")
    build += _varint(len(b"go1.21.4")) + b"go1.21.4" + _varint(len(info)) + info
    names = b"\0.text\0.go.buildinfo\0.shstrtab\0"
    base, header = 0x400000, 64 + 56
    text_at, build_at = header, (header + len(code) + 15) // 16 * 16
    names_at = build_at + len(build)
    sections_at = (names_at + len(names) + 7) // 8 * 8
    elf = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    elf += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + text_at, 64, sections_at, 0, 64, 56, 1, 64, 4, 3)
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, names_at, names_at, 0x1000)
    out = bytearray(elf + code)
    out = out.ljust(build_at, b"\0") + build + names
    out = out.ljust(sections_at, b"\0") + bytes(64)
    for name, kind, flags, at, size in (
        (b".text", 1, 6, text_at, len(code)),
        (b".go.buildinfo", 1, 2, build_at, len(build)),
        (b".shstrtab", 3, 0, names_at, len(names)),
    ):
        out += struct.pack("<IIQQQQIIQQ", names.index(name), kind, flags, base + at, at, size, 0, 0, 16, 0)
    return bytes(out)


def java_archive(version: str, built: str) -> bytes:
    """A jar whose manifest says when it was built."""
    manifest = (
        "Manifest-Version: 1.0\r\n"
        "Implementation-Title: dten-bridge\r\n"
        f"Implementation-Version: {version}\r\n"
        f"Build-Time: {built}\r\n"
        "Main-Class: systems.dten.bridge.Main\r\n\r\n"
    )
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as jar:
        for name, data in (("META-INF/MANIFEST.MF", manifest), ("bridge.properties", "bridge.retries=3\n")):
            jar.writestr(zipfile.ZipInfo(name, (2025, 2, 11, 9, 12, 0)), data)
    return held.getvalue()

"""Writes small Windows event logs: one element a record, no templates, names inline."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 16


def evtx(chunks: list[list[dict[str, str]]], *, empty: int = 0, flags: int = 0) -> bytes:
    """A log whose chunks hold these records; values of EventData by name, then *empty* chunks."""
    number = 1
    body = b""
    for records in chunks:
        body += _chunk(records, number)
        number += len(records)
    fields = (b"ElfFile\0", 0, max(0, len(chunks) - 1), number, 128, 1, 3, 4096, len(chunks))
    header = struct.pack("<8sQQQIHHHH", *fields).ljust(120, b"\0")
    header += struct.pack("<II", flags, zlib.crc32(header))
    return header.ljust(4096, b"\0") + body + bytes(CHUNK * empty)


def _chunk(records: list[dict[str, str]], number: int) -> bytes:
    body = bytearray(512)
    last = 512
    for i, values in enumerate(records):
        last = len(body)
        xml = _binary_xml(number + i, values, last + 24)
        size = (28 + len(xml) + 7) // 8 * 8
        time = 134_000_000_000_000_000 + i
        record = struct.pack("<4sIQQ", b"**\0\0", size, number + i, time) + xml
        body += record.ljust(size - 4, b"\0") + struct.pack("<I", size)
    assert len(body) <= CHUNK
    first, end = number, number + len(records) - 1
    head = struct.pack("<8sQQQQIII", b"ElfChnk\0", first, end, first, end, 128, last, len(body))
    body[: len(head)] = head
    struct.pack_into("<I", body, 52, zlib.crc32(body[512:]))
    struct.pack_into("<I", body, 124, zlib.crc32(bytes(body[:120]) + bytes(body[128:512])))
    return bytes(body).ljust(CHUNK, b"\0")


def _binary_xml(number: int, values: dict[str, str], at: int) -> bytes:
    xml = _Xml(at)
    xml.element(
        "Event",
        lambda: (
            xml.element("System", lambda: _system(xml, number)),
            xml.element(
                "EventData", lambda: [xml.element("Data", v, Name=k) for k, v in values.items()]
            ),
        ),
    )
    return bytes(xml.out) + b"\0"


def _system(xml: _Xml, number: int) -> None:
    xml.element("Provider", "", Name="Microsoft-Windows-Sysmon")
    xml.element("EventID", "1")
    xml.element("TimeCreated", "", SystemTime="2026-11-17T01:05:09.000Z")
    xml.element("EventRecordID", str(number))
    xml.element("Channel", "Microsoft-Windows-Sysmon/Operational")
    xml.element("Computer", "desa-01")


class _Xml:
    """Binary XML that begins at an offset of its chunk."""

    def __init__(self, at: int) -> None:
        self.out = bytearray(b"\x0f\x01\x01\x00")
        self._at = at

    def element(self, tag: str, content: str | Callable[[], object], **attributes: str) -> None:
        out = self.out
        out += struct.pack("<BI", 0x41 if attributes else 0x01, 0)
        place = len(out) - 4
        self._name(tag)
        if attributes:
            self._attributes(attributes)
        out.append(2)
        if isinstance(content, str):
            self._value(content)
        else:
            content()
        out.append(4)
        struct.pack_into("<I", out, place, len(out) - place - 4)

    def _attributes(self, attributes: dict[str, str]) -> None:
        self.out += bytes(4)
        listed = len(self.out)
        for left, (key, text) in zip(range(len(attributes))[::-1], attributes.items(), strict=True):
            self.out.append(0x46 if left else 0x06)
            self._name(key)
            self._value(text)
        struct.pack_into("<I", self.out, listed - 4, len(self.out) - listed)

    def _name(self, text: str) -> None:
        # The name stands right behind the reference to it.
        self.out += struct.pack("<I", self._at + len(self.out) + 4)
        self.out += struct.pack("<IHH", 0, 0, len(text)) + text.encode("utf-16-le") + b"\0\0"

    def _value(self, text: str) -> None:
        self.out += struct.pack("<BBH", 5, 1, len(text)) + text.encode("utf-16-le")

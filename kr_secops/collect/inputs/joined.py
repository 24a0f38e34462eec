"""Documents that are not one a line: printed over many lines, in an array, as XML, one by one.

A JSON document keeps its place and length, with its line ends turned to spaces, so offsets are
those of the file. An XML record becomes a JSON object.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from kr_secops.collect.inputs.compression import DamagedError
from kr_secops.collect.inputs.cut import BLOCK, KEPT, cut_lines
from kr_secops.collect.interface import Block, Skipped
from kr_secops.collect.xmlrecord import XmlError, xml_tree
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.collect.inputs.cut import Place
    from kr_secops.collect.interface import Source

LONGEST: Final = 16 << 20
"""Characters of one document."""

_ARRAY: Final = re.compile(r"\[\s*\{")
_NUMBERED: Final = re.compile(r"Record \d+\s*\{")
_BETWEEN: Final = re.compile(r"(?:[\s,\[\]\x00\ufeff]|Record \d+\s)*")
"""Between two documents; ``evtx_dump`` numbers them."""
_AROUND: Final = re.compile(
    r"(?:[\s\x00\ufeff]|<\?[^>]*\?>|</?(?:\w+:)?Events(?:\s[^>]*)?>|<!--.{0,4096}?-->)*", re.DOTALL
)
"""Between two records as XML."""
_EVENT: Final = re.compile(r"<(?:\w+:)?Event[\s>]")
_EVENT_END: Final = re.compile(r"</(?:\w+:)?Event\s*>")
_NEXT: Final = re.compile(r"\n[ \t]*(?=\{)")
_NUMBER: Final = 32
"""Characters of a number between two documents, at most."""
_NEAR: Final = 8
"""So close before the end of what is there, a mistake may only be its being cut."""

_scan = json.JSONDecoder().raw_decode


class _Piece(NamedTuple):
    """A document or what should have been one, and where it stands."""

    start: int
    end: int
    document: str = ""
    wrong: str = ""


def cutter(head: bytes) -> Callable[..., Iterator[Block | Skipped | Rejected]]:
    """Return what cuts a file that begins with *head* into blocks: `cut_lines` or one of these."""
    start = head.decode("utf-8", "replace").lstrip("\ufeff\r\n\t ")
    if is_xml(start):
        return cut_xml
    if _ARRAY.match(start) or _NUMBERED.match(start):
        return cut_documents
    if start.startswith("{"):
        line = start.partition("\n")[0]
        try:
            orjson.loads(line)
        except ValueError:
            if documents(start, 1):
                return cut_documents
    return cut_lines


def documents(text: str, most: int) -> list[str]:
    """Return the first documents of *text*, the beginning of a file."""
    if not (text.startswith("{") or _ARRAY.match(text) or _NUMBERED.match(text)):
        return []
    return [piece.document for piece in islice(_json(text, more=True), most) if not piece.wrong]


def is_xml(text: str) -> bool:
    """Return whether *text* is the beginning of Windows event records as XML."""
    return text.startswith("<") and "<System>" in text and _EVENT.search(text) is not None


def cut_documents(
    parts: Iterator[bytes], source: Source, place: Place, offset: int = 0, *, growing: bool = False
) -> Iterator[Block | Skipped | Rejected]:
    """Yield *parts* as blocks of JSON documents, one a line; see `cut_lines`."""
    return _cut(_json, parts, source, place, offset, growing=growing)


def cut_xml(
    parts: Iterator[bytes], source: Source, place: Place, offset: int = 0, *, growing: bool = False
) -> Iterator[Block | Skipped | Rejected]:
    """Yield the ``Event`` elements of *parts* as blocks of JSON, one a line; see `cut_lines`."""
    return _cut(_xml, parts, source, place, offset, growing=growing)


def _cut(
    pieces: Callable[..., Iterator[_Piece]],
    parts: Iterator[bytes],
    source: Source,
    place: Place,
    offset: int,
    *,
    growing: bool,
) -> Iterator[Block | Skipped | Rejected]:
    waiting, damage, ended, wanted = b"", "", False, BLOCK
    while not ended:
        try:
            part = next(parts, b"")
        except DamagedError as e:
            part, damage = b"", str(e)
        waiting += part
        ended = not part
        if not ended and len(waiting) < wanted:
            continue
        text = waiting.decode("utf-8", "surrogateescape")
        lines, first, at, done = bytearray(), offset, offset, 0
        for piece in pieces(text, more=not ended or growing):
            start = at + _length(text, done, piece.start)
            at, done = start + _length(text, piece.start, piece.end), piece.end
            if piece.wrong:
                record = text[piece.start : min(piece.end, piece.start + KEPT)]
                yield Rejected(source.name, start, piece.wrong, record.encode("utf-8", "replace"))
                continue
            first = first if lines else start
            # Spaces at the end of the line before let this one begin where it does in the file.
            lines[-1:] = lines[-1:].rjust(start - first - len(lines) + 1)
            lines += piece.document.encode("utf-8", "surrogateescape") + b"\n"
        if ended and not growing:
            at = offset + len(waiting)  # beyond what stands behind the last one
        if lines or ended:
            yield Block(source, first, bytes(lines), place(at, last=ended and not damage))
        waiting = waiting[at - offset :]
        # A document that is not whole yet is looked at again when there is twice as much of it.
        offset, wanted = at, max(BLOCK, 2 * len(waiting))
    if damage:
        yield Skipped(source.name, f"damaged after {offset:,} bytes: {damage}")


def _length(text: str, start: int, end: int) -> int:
    """Return the bytes of a part of *text*."""
    part = text[start:end]
    return len(part) if part.isascii() else len(part.encode("utf-8", "surrogateescape"))


def _json(text: str, *, more: bool) -> Iterator[_Piece]:
    """Yield the documents in *text*; *more*: it may go on."""
    at = 0
    while (start := _past(_BETWEEN, text, at)) < len(text):
        reason = "no JSON object"
        if more and len(text) - start < _NUMBER and "{" not in text[start:]:
            return
        if text.startswith("{", start):
            try:
                _, end = _scan(text, start)
            except (ValueError, RecursionError) as e:
                if more and len(text) - start < LONGEST and _may_go_on(e, text):
                    return
                reason = str(e) or type(e).__name__
            else:
                yield _Piece(start, end, text[start:end].replace("\n", " ").replace("\r", " "))
                at = end
                continue
        found = _NEXT.search(text, start)
        at = found.end() if found else len(text)
        yield _Piece(start, at, wrong=reason)


def _may_go_on(error: Exception, text: str) -> bool:
    return isinstance(error, json.JSONDecodeError) and (
        error.msg.startswith("Unterminated") or error.pos >= len(text) - _NEAR
    )


def _xml(text: str, *, more: bool) -> Iterator[_Piece]:
    """Yield the records in *text* as JSON; *more*: it may go on."""
    at = 0
    while (start := _past(_AROUND, text, at)) < len(text):
        end = _EVENT_END.search(text, start)
        following = _EVENT.search(text, start + 1)
        if not _EVENT.match(text, start) or (following and end and following.start() < end.start()):
            if more and following is None and len(text) - start < LONGEST:
                return
            at = following.start() if following else len(text)
            yield _Piece(start, at, wrong="no whole Event element")
            continue
        if end is None:
            if more and len(text) - start < LONGEST:
                return
            yield _Piece(start, len(text), wrong="an Event element without end")
            return
        at = end.end()
        try:
            yield _Piece(start, at, orjson.dumps(xml_tree(text[start:at])).decode())
        except (XmlError, UnicodeEncodeError, TypeError) as e:
            yield _Piece(start, at, wrong=str(e))


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at

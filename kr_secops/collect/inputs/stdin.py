"""Standard input: lines, plain or compressed, to the end."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from kr_secops.collect.inputs.compression import chunks, compression
from kr_secops.collect.inputs.file import HEAD
from kr_secops.collect.inputs.joined import cutter
from kr_secops.collect.interface import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.collect.interface import Block, Skipped, Source
    from kr_secops.event import Rejected


class StdinInput:
    """Reads a stream that cannot be read again, so there is nothing to resume."""

    def __init__(self, stream: BinaryIO, source: Source) -> None:
        """Take *stream* (buffered, so that it can be peeked into) as *source*."""
        self._stream = stream
        self._source = source

    def blocks(self) -> Iterator[Block | Skipped | Rejected]:
        """Yield the lines."""
        peek = getattr(self._stream, "peek", None)
        kind = compression(peek(6)[:6]) if peek else None
        parts = chunks(self._stream, kind)
        first = next(parts, b"")
        yield from cutter(first[:HEAD])(chain([first], parts), self._source, self._position)

    def _position(self, offset: int, *, last: bool) -> Position:
        del last
        return Position("", offset)

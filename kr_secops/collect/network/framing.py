"""Where HTTP/1 messages begin and end in a stream of bytes: heads, bodies, chunks."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD_LIMIT: Final = 32 << 10
LINE_LIMIT: Final = 4 << 10

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$")
_STARTS = re.compile(rb"[A-Z][A-Z-]{2,19} \S|[Hh][Tt]{2}[Pp]/\d")


class Part(enum.Enum):
    """What a piece of the stream is."""

    head = enum.auto()
    body = enum.auto()
    end = enum.auto()
    """The message is over; the piece is empty."""


class Mode(enum.Enum):
    """What is being read."""

    head = enum.auto()
    sized = enum.auto()
    endless = enum.auto()
    chunk_size = enum.auto()
    chunk = enum.auto()
    trailer = enum.auto()
    lost = enum.auto()
    """Bytes are missing where a head was to be: wait for something that looks like one."""


class Framing:
    """Cuts one direction of a connection into heads and bodies."""

    __slots__ = ("_buffer", "_left", "_mode")

    def __init__(self) -> None:
        self._mode = Mode.head
        self._left = 0
        self._buffer = bytearray()

    def expect(self, length: int | None, *, chunked: bool = False) -> None:
        """Say what follows the head just given: so many bytes, chunks, or (None) all to the end."""
        if chunked:
            self._mode = Mode.chunk_size
        elif length is None:
            self._mode = Mode.endless
        elif length:
            self._mode, self._left = Mode.sized, length

    def pieces(self, data: bytes) -> Iterator[tuple[Part, bytes]]:
        """Yield the parts that *data* completes; after a head, `expect` is called before the next."""
        while data:
            if self._mode in (Mode.sized, Mode.chunk, Mode.endless):
                taken = len(data) if self._mode is Mode.endless else min(self._left, len(data))
                yield Part.body, data[:taken]
                data = data[taken:]
                yield from self._pass(taken)
                continue
            if self._mode is Mode.lost:
                if not _STARTS.match(data):
                    return
                self._mode = Mode.head
            self._buffer += data
            piece, data = self._cut()
            if piece is None:
                return
            yield from self._line(piece)

    def lose(self, count: int) -> bool:
        """Pass over *count* missing bytes; return whether all of them lay in a body."""
        if self._mode is Mode.endless:
            return True
        if self._mode in (Mode.sized, Mode.chunk) and count < self._left:
            self._left -= count
            return True
        self._buffer.clear()
        self._mode = Mode.lost
        return False

    def _pass(self, taken: int) -> Iterator[tuple[Part, bytes]]:
        if self._mode is Mode.endless:
            return
        self._left -= taken
        if not self._left and self._mode is Mode.sized:
            self._mode = Mode.head
            yield Part.end, b""
        elif not self._left:
            self._mode = Mode.chunk_size

    def _cut(self) -> tuple[bytes | None, bytes]:
        """Return the head or line that is complete, if any, and what is behind it."""
        if self._mode is Mode.head:
            # Empty lines before a request are ignored (RFC 9112, 2.2).
            stripped = self._buffer.lstrip(b"\r\n")
            del self._buffer[: len(self._buffer) - len(stripped)]
        head = self._mode is Mode.head
        found = (_HEAD_END if head else _LINE_END).search(self._buffer)
        if found is None:
            if len(self._buffer) <= (HEAD_LIMIT if head else LINE_LIMIT):
                return None, b""
            piece, rest = bytes(self._buffer), b""
        else:
            piece, rest = bytes(self._buffer[: found.start()]), bytes(self._buffer[found.end() :])
        self._buffer.clear()
        return piece, rest

    def _line(self, piece: bytes) -> Iterator[tuple[Part, bytes]]:
        if self._mode is Mode.head:
            yield Part.head, piece
        elif self._mode is Mode.trailer:
            if not piece:
                self._mode = Mode.head
                yield Part.end, b""
        elif piece:  # an empty line ends the chunk before
            size = _CHUNK.match(piece)
            if size is None:
                self._mode = Mode.lost
                return
            self._left = int(size[1], 16)
            self._mode = Mode.chunk if self._left else Mode.trailer

    def rest(self) -> bytes:
        """Return what may be a head that was never finished."""
        return bytes(self._buffer) if self._mode is Mode.head else b""

"""One direction of a TCP connection put back in order, from memory that stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

HELD: Final = 64
"""Segments kept that came too early; more means that one before them is lost."""
HELD_BYTES: Final = 32 << 10


class Stream:
    """Takes segments in any order and yields their bytes in order.

        stream = Stream(1)
        stream.add(5, b"world")         yields nothing: 1 to 4 are missing
        stream.add(1, b"hey ")          yields b"hey ", b"world"

    A number instead of bytes says how many bytes were lost.
    """

    __slots__ = ("_early", "_early_bytes", "next")

    def __init__(self, start: int) -> None:
        self.next = start
        """Relative sequence number of the first byte not yet yielded."""
        self._early: dict[int, tuple[bytes, int]] = {}
        self._early_bytes = 0

    def add(self, start: int, data: bytes, length: int) -> Iterator[bytes | int]:
        """Yield what *data*, at *start* and *length* bytes long on the wire, makes readable."""
        if start > self.next:
            if start - self.next > 1 << 30:
                return
            held = self._early.get(start)
            if held is None or len(held[0]) < len(data):
                self._early_bytes += len(data) - (len(held[0]) if held else 0)
                self._early[start] = (data, length)
            while len(self._early) > HELD or self._early_bytes > HELD_BYTES:
                yield from self.skip(min(self._early))
            return
        yield from self._take(start, data, length)
        yield from self._take_early()

    def skip(self, until: int) -> Iterator[bytes | int]:
        """Give up what is missing before *until*, for instance because its receiver has it."""
        if until > self.next:
            first = min((start for start in self._early if start >= self.next), default=until)
            if first > self.next:
                yield min(first, until) - self.next
                self.next = min(first, until)
            yield from self._take_early()

    def _take(self, start: int, data: bytes, length: int) -> Iterator[bytes | int]:
        done = self.next - start
        if done >= length:
            return
        self.next = start + length
        fresh = data[done:]
        if fresh:
            yield fresh
        # The capture cut the packet: what is behind its beginning was sent but not kept.
        if lost := length - max(done, len(data)):
            yield lost

    def _take_early(self) -> Iterator[bytes | int]:
        while self._early:
            start = min(self._early)
            if start > self.next:
                return
            data, length = self._early.pop(start)
            self._early_bytes -= len(data)
            yield from self._take(start, data, length)

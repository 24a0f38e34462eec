"""Cuts a stream of bytes into blocks of whole lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from kr_secops.collect.inputs.compression import DamagedError
from kr_secops.collect.interface import Block, Skipped
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.collect.interface import Position, Source

BLOCK: Final = 1 << 20
"""Bytes from which on a block is given out."""
LONGEST_LINE: Final = 1 << 20
KEPT: Final = 8192


class Place(Protocol):
    """Names the position at an offset; ``last``: the source ends there, undamaged."""

    def __call__(self, offset: int, *, last: bool) -> Position:
        """Return the position at *offset*."""
        ...


def cut_lines(
    parts: Iterator[bytes], source: Source, place: Place, offset: int = 0, *, growing: bool = False
) -> Iterator[Block | Skipped | Rejected]:
    """Yield *parts* as blocks of whole lines; *offset* is that of the first byte.

    Args:
        parts: the stream; may raise DamagedError, then what came before it is still yielded.
        source: what the blocks say they come from.
        place: gives the position that belongs to an offset.
        offset: of the first byte of *parts* in the source.
        growing: leave an unfinished last line for the next run.
    """
    waiting = bytearray()
    damage = ""
    try:
        for part in parts:
            waiting += part
            if len(waiting) < BLOCK:
                continue
            end = waiting.rfind(b"\n") + 1
            if end:
                data = bytes(waiting[:end])
                del waiting[:end]
                yield Block(source, offset, data, place(offset + end, last=False))
                offset += end
            elif len(waiting) > LONGEST_LINE:
                reason = f"line longer than {LONGEST_LINE >> 20} MiB"
                yield Rejected(source.name, offset, reason, bytes(waiting[:KEPT]))
                offset += len(waiting)
                waiting, gone = _rest_of_line(parts)
                offset += gone
    except DamagedError as e:
        damage = str(e)
    end = waiting.rfind(b"\n") + 1 if growing else len(waiting)
    yield Block(source, offset, bytes(waiting[:end]), place(offset + end, last=not damage))
    if damage:
        yield Skipped(source.name, f"damaged after {offset + end:,} bytes: {damage}")


def _rest_of_line(parts: Iterator[bytes]) -> tuple[bytearray, int]:
    """Throw away what is left of an overlong line; return what follows it, and how much went."""
    gone = 0
    for part in parts:
        end = part.find(b"\n") + 1
        if end:
            return bytearray(part[end:]), gone + end
        gone += len(part)
    return bytearray(), gone

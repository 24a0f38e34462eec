"""Cuts blocks into lines with their offsets."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kr_secops.collect.interface import Block

LONGEST: Final = 32 * 1024
"""Characters of a line that are looked at."""


def offsets_and_lines(
    block: Block, chosen: Sequence[int] | None = None, longest: int = LONGEST
) -> Iterable[tuple[int, str]]:
    """Return each line of *block* (or those that begin at *chosen*) with its offset in the source.

    Bytes that are no UTF-8 become U+FFFD: an event must be JSON, and the raw file is still there.
    What a line has beyond *longest* characters is left out, so that no pattern runs for minutes.
    """
    data = block.data
    if chosen is not None:
        start, find = block.offset, data.find
        ends = ((offset, find(b"\n", offset)) for offset in chosen)
        return [
            (
                start + offset,
                data[offset : end if end >= 0 else None].decode("utf-8", "replace")[:longest],
            )
            for offset, end in ends
        ]
    # All in C: one call a block to decode and split, none a line.
    if data.isascii():
        lines: list[str] = data.decode("ascii").split("\n")
        sizes = list(map(len, lines))
    else:
        raw = data.split(b"\n")
        lines = [line.decode("utf-8", "replace") for line in raw]
        sizes = list(map(len, raw))
    if max(sizes) > longest:
        lines = [line[:longest] for line in lines]
    if not lines[-1]:
        lines.pop()
    if block.offset == 0 and lines and lines[0].startswith("\ufeff"):
        lines[0] = lines[0][1:]
    return zip(accumulate(map((1).__add__, sizes), initial=block.offset), lines)  # noqa: B905

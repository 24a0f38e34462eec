"""IP packets that were sent in parts, put together again, from memory that stays small."""

from __future__ import annotations

import struct
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops.collect.network.packet import Malformed, whole

if TYPE_CHECKING:
    from kr_secops.collect.network.packet import Decoded, Fragment

WAITING: Final = 256
"""Packets whose parts are kept; the oldest is given up first."""
PARTS: Final = 64
"""Parts of one packet; more are an attack."""
PATIENCE: Final = 30_000_000_000
"""Nanoseconds to wait for the rest of a packet."""

_Key: TypeAlias = "tuple[bytes, bytes, int, int]"


@dataclass(slots=True)
class _Parts:
    begun: int
    found: dict[int, Fragment] = field(default_factory=dict)


class Fragments:
    """Takes parts in any order and gives the packet when its last part is there."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[_Key, _Parts] = OrderedDict()

    def add(self, part: Fragment, time: int) -> Decoded:
        """Return the packet that *part* completes; None while there are gaps."""
        key = (part.source, part.destination, part.protocol, part.identity)
        parts = self._waiting.get(key)
        if parts is None or time - parts.begun > PATIENCE:
            self._waiting.pop(key, None)
            parts = self._waiting[key] = _Parts(time)
            if len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
        parts.found.setdefault(part.start, part)
        if len(parts.found) > PARTS:
            del self._waiting[key]
            return Malformed("an IP packet in too many parts")
        joined = _join(parts.found)
        if joined is None:
            return None
        del self._waiting[key]
        try:
            return whole(parts.found[0], *joined)
        except (struct.error, IndexError):
            return Malformed("an IP packet in parts ends in its headers")


def _join(found: dict[int, Fragment]) -> tuple[bytes, int] | None:
    """Return the bytes captured without gap, and how many were sent; None if parts are missing."""
    pieces: list[bytes] = []
    end, cut = 0, False
    for start in sorted(found):
        part = found[start]
        if start > end:
            return None
        fresh = part.data[end - start :]
        if not cut:
            pieces.append(fresh)
        cut = cut or len(part.data) < part.length
        end = max(end, start + part.length)
        if not part.more:
            return b"".join(pieces), end
    return None

"""The file a compiled rule set lies in: a small head, and parts that are read when first needed.

    8 bytes: length of the head │ head (marshal) │ parts

It holds code, so it is read only from a place that no one else can write to; see `cache`.
"""

from __future__ import annotations

import marshal
import mmap
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Part: TypeAlias = tuple[int, int]
"""Begin and end of a part, counted from the end of the head."""


class Writer:
    """Collects parts; equal ones are kept once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._known: dict[bytes, Part] = {}

    def put(self, part: bytes) -> Part:
        """Add *part* and return where it will be."""
        if part not in self._known:
            self._parts.append(part)
            self._known[part] = (self._size, self._size + len(part))
            self._size += len(part)
        return self._known[part]

    def put_value(self, value: Any) -> Part:
        """Add a value of plain Python types."""
        return self.put(marshal.dumps(value))

    def finish(self, head: dict[str, Any]) -> bytes:
        """Return the whole file."""
        start = marshal.dumps(head)
        return b"".join((len(start).to_bytes(8, "little"), start, *self._parts))


class Compiled:
    """Reads such a file, from disk (mapped, not read) or from memory."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        """Read the head of *data*; ValueError, EOFError or TypeError if it is none."""
        self._data = data
        self._body = 8 + int.from_bytes(data[:8], "little")
        head = marshal.loads(data[8 : self._body])  # noqa: S302 (our own file, see `cache`)
        if not isinstance(head, dict):
            raise TypeError("no head")
        self.head: dict[str, Any] = head

    @classmethod
    def open(cls, path: Path) -> Compiled:
        """Map the file at *path*."""
        with path.open("rb") as file:
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def get(self, part: Part) -> bytes:
        """Return a part."""
        start, end = part
        return self._data[self._body + start : self._body + end]

    def value(self, part: Part) -> Any:
        """Return a part that `Writer.put_value` wrote."""
        return marshal.loads(self.get(part))  # noqa: S302 (as the head)

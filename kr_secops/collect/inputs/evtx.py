"""Windows event log files (EVTX), as one JSON object a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kr_secops.collect.interface import Block, Position, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.collect.interface import Source
    from kr_secops.event import Rejected

MAGIC: Final = b"ElfFile\x00"
FIRST_RECORD: Final = 4096 + 512
"""Offset of the first record, behind the headers of the file and of its first chunk."""
BLOCK: Final = 1 << 20
MOST_DAMAGED: Final = 100_000
"""Then the file is given up: a parser that only fails must end some time."""


class EvtxInput:
    """Reads one EVTX file; what is damaged in it is left out and counted."""

    def __init__(self, path: Path, source: Source, position: Position) -> None:
        """Take *path* as *source*; records up to *position*'s offset (a count) are done with."""
        self._path = path
        self._source = source
        self._position = position

    def blocks(self) -> Iterator[Block | Skipped | Rejected]:
        """Yield the records, then what could not be read."""
        from evtx import PyEvtxParser

        damaged = 0
        number = 0
        lines: list[str] = []
        size = 0
        start = self._position.offset
        try:
            records = iter(PyEvtxParser(str(self._path), number_of_threads=1).records_json())
        except (OSError, RuntimeError, ValueError) as e:
            yield Skipped(self._source.name, f"no readable EVTX file: {e}")
            return
        while True:
            try:
                record = next(records, None)
            except (OSError, RuntimeError, ValueError):
                damaged += 1
                if damaged > MOST_DAMAGED:
                    break
                continue
            if record is None:
                break
            number += 1
            if number <= start:
                continue
            # The library indents its JSON; inside strings it escapes line ends.
            lines.append(record["data"].replace("\n", ""))
            size += len(lines[-1])
            if size >= BLOCK:
                yield self._block(lines, number)
                lines, size = [], 0
        yield self._block(lines, number)
        if damaged:
            yield Skipped(self._source.name, f"{damaged} damaged records or chunks left out")

    def _block(self, lines: list[str], number: int) -> Block:
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        position = Position(
            self._position.key, number, self._position.fingerprint, path=str(self._path)
        )
        return Block(self._source, number - len(lines), data, position)

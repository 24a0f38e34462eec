"""Network captures among the collectors: a reader that makes the events of a whole file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from kr_secops.collect.collector import Collector
    from kr_secops.collect.interface import Block, Outcome, Source

MAGIC: Final = (
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)  # fmt: skip
"""First bytes: pcap in two byte orders and two precisions, pcapng."""


class CaptureReader:
    """Reads one capture file when its only, empty block comes."""

    verbatim = False
    waiting: int | None = None

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        del now
        self.collector = collector
        self._source = source

    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of the file, each when it is complete."""
        from kr_secops.collect.network.pcap import read_pcap

        del block, lines
        yield from read_pcap(Path(self._source.name), host=self._source.host)

    def finish(self) -> Iterator[Outcome]:
        """Yield nothing: the file was read whole."""
        yield from ()

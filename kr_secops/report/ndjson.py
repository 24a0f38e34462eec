"""The report as NDJSON: one finding a line, an ECS event; what `detect` prints and others read."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from kr_secops.event import dumps
from kr_secops.finding import to_document

if TYPE_CHECKING:
    from kr_secops.report.interface import Report


def write_ndjson(report: Report, stream: BinaryIO, /) -> None:
    """Write one line per finding."""
    stream.writelines(dumps(to_document(finding)) + b"\n" for finding in report.findings)

r"""The report as one JSON document: what it covers, what was read, and the findings.

The findings stand on a line of their own as `Report.canonical` writes them, so that
``sed -n '/^\[/p' report.json | tr -d '\n' | sha256sum`` gives the ``sha256`` stated above them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from kr_secops.event import timestamp

if TYPE_CHECKING:
    from kr_secops.report.interface import Report


def write_json(report: Report, stream: BinaryIO, /) -> None:
    """Write the document."""
    stream.write(b'{"report":')
    stream.write(orjson.dumps(_head(report)))
    stream.write(b',"findings":\n')
    stream.write(report.canonical())
    stream.write(b"\n}\n")


def _head(report: Report) -> dict[str, Any]:
    period, collected = report.period, report.collected
    return {
        "version": report.version,
        "run": report.run,
        "generated": timestamp(report.generated),
        "period": [timestamp(moment) for moment in period] if period else None,
        "agency": report.agency,
        "prepared_by": report.prepared_by,
        "hosts": report.hosts,
        "rules": dict(report.rules),
        "collected": collected
        and {
            "events": dict(collected.events),
            "lines": dict(collected.lines),
            "rejected": dict(collected.rejected),
            "skipped": [{"source": s.source, "reason": s.reason} for s in collected.skipped],
        },
        "malformed": report.malformed,
        "count": len(report.findings),
        "sha256": report.digest(),
    }

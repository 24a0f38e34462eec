"""The report as CSV for a spreadsheet: one finding a row, no cell that could run."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, BinaryIO, Final

from kr_secops.event import moment
from kr_secops.report.attack import techniques
from kr_secops.report.inert import cell
from kr_secops.report.interface import host, title
from kr_secops.report.words import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.finding import Finding
    from kr_secops.report.interface import Report

# Spreadsheet programs take a CSV without this mark for the code page of the machine.
_MARK: Final = "\ufeff"


def write_csv(report: Report, stream: BinaryIO, /) -> None:
    """Write a head row and one row per finding, RFC 4180, UTF-8 with a byte order mark."""
    words = table(report.language)
    names = ["level", "status", "title", "host", "entity", "first_seen", "last_seen", "count"]
    names += ["recommendation", "techniques", "controls", "rule", "id", "reason"]
    stream.write((_MARK + _row(words[f"column_{name}"] for name in names)).encode())
    stream.writelines(_row(_cells(finding, report, words)).encode() for finding in report.findings)


def _cells(finding: Finding, report: Report, words: dict[str, str]) -> Iterator[object]:
    yield words[f"level_{finding.level.name}"]
    yield words[f"status_{finding.status.value}"]
    yield title(finding, report.language)
    yield host(finding)
    yield ", ".join(f"{name}={value}" for name, value in finding.entity.items())
    for seen in (finding.first_seen, finding.last_seen):
        yield moment(seen).astimezone(report.zone).isoformat(" ", "seconds")
    yield finding.count
    yield finding.text.get(report.language, {}).get("recommendation", "")
    yield ", ".join(techniques(finding))
    yield ", ".join(finding.controls)
    yield finding.rule_id
    yield finding.id
    yield finding.reason or ""


def _row(values: Iterator[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(v) if isinstance(v, str) else v for v in values])
    return out.getvalue()

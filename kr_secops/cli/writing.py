"""Hands a report to the writer of a format: the terminal's table fits the terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from kr_secops.cli import console, options
from kr_secops.report.interface import writer

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.report.interface import Report


def write(report: Report, asked: str | None, output: Path | None, *, wide: bool = False) -> None:
    """Write *report* in the format *asked* for to *output*, or to stdout."""
    name = console.output_format(asked, options.FORMATS)
    with options.opened(output) as stream:
        if name != "table":
            writer(name)(report, stream)
            return
        from kr_secops.report.table import write_table

        write_table(
            report,
            stream,
            width=shutil.get_terminal_size((100, 24)).columns,
            colour=console.use_colour() and output is None,
            wide=wide,
            encoding="utf-8" if output else sys.stdout.encoding or "utf-8",
        )

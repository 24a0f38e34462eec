"""Rows of figures as a table, NDJSON or CSV: how every measuring command prints."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from kr_secops.report.inert import cell, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = dict[str, Any]

# Spreadsheet programs take a CSV without this mark for the code page of the machine.
_MARK: Final = "\ufeff"
_GAP: Final = "  "


def plain(value: Any) -> str:
    """Return a value as a person reads it in a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)


def percent(value: float | None) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return "" if value is None else f"{value * 100:.1f} %"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each row."""

    name: str
    """Its key in NDJSON."""
    title: str
    """Its head for people."""
    limit: int = 48
    """Characters shown in a table."""
    right: bool = False
    show: Callable[[Any], str] = plain


def write_table(
    rows: Sequence[Row], columns: Sequence[Column], stream: BinaryIO, *, head: bool = True
) -> None:
    """Write *rows* in aligned columns; the last one is cut where the terminal ends."""
    if not rows:
        return
    cells = [[one_line(c.show(row.get(c.name)), c.limit) for c in columns] for row in rows]
    table = [[c.title for c in columns], *cells] if head else cells
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    to_terminal = stream is sys.stdout.buffer and sys.stdout.isatty()
    room = shutil.get_terminal_size().columns if to_terminal else None
    for line in table:
        padded = (
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        )
        write_line(_GAP.join(padded).rstrip()[:room], stream)


def write_line(text: str, stream: BinaryIO) -> None:
    """Write one line of a table; nothing in it steers a terminal."""
    encoding = (sys.stdout.encoding if stream is sys.stdout.buffer else None) or "utf-8"
    stream.write((printable(text) + "\n").encode(encoding, "backslashreplace"))


def write_ndjson(rows: Iterable[Row], stream: BinaryIO) -> None:
    """Write one JSON object a row."""
    stream.writelines(document(row) for row in rows)


def document(value: Any, *, indent: bool = False) -> bytes:
    """Return *value* as a line of JSON, or several: all ASCII, so nothing steers a terminal."""
    return (json.dumps(value, indent=1 if indent else None) + "\n").encode()


def write_csv(rows: Iterable[Row], columns: Sequence[Column], stream: BinaryIO) -> None:
    """Write a head row and one line a row, RFC 4180, no cell that a spreadsheet could run."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.title for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column.name)) for column in columns])
    stream.write((_MARK + out.getvalue()).encode("utf-8", "backslashreplace"))


def _cell(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return cell(plain(value))

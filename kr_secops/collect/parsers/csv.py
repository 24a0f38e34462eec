"""One record of comma-separated values, which may go on over lines inside quotes."""

from __future__ import annotations

import csv


def columns(record: str) -> list[str] | None:
    """Return the columns of *record*; None if a quote is not closed or there are several records.

    >>> columns('a,"b, c",')
    ['a', 'b, c', '']
    """
    try:
        rows = list(csv.reader(record.splitlines(keepends=True), strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None

"""The report as a table for a terminal; the command line says how wide, coloured and encoded."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kr_secops.report.inert import one_line
from kr_secops.report.interface import title
from kr_secops.report.phrases import voice

if TYPE_CHECKING:
    from kr_secops.finding import Finding
    from kr_secops.report.interface import Report

STYLES: Final = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "dim",
}
_ID_BESIDE: Final = 104
"""Columns from which the id has room beside the finding; below, it stands under it."""
_WIDEST: Final = 100_000
_LONGEST: Final = 300


def write_table(
    report: Report,
    stream: BinaryIO,
    /,
    *,
    width: int = 100,
    colour: bool = False,
    wide: bool = False,
    encoding: str = "utf-8",
) -> None:
    """Write a table and one line that sums it up.

    Args:
        report: what to show.
        stream: where to, in *encoding*.
        width: columns of the terminal.
        colour: whether to colour.
        wide: one line per finding however long, instead of fitting *width*.
        encoding: the terminal's; lines are drawn in ASCII where it is not Unicode.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=_WIDEST if wide else width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    if report.findings:
        unicode = encoding.lower().replace("-", "").startswith("utf")
        console.print(
            _table(report, wide=wide, beside=wide or width >= _ID_BESIDE, plain=not unicode)
        )
    console.print(Text(_sum(report)), soft_wrap=True)
    lines = (line.rstrip() for line in out.getvalue().lstrip("\n").splitlines())
    stream.write("".join(f"{line}\n" for line in lines).encode(encoding, "backslashreplace"))


def _table(report: Report, *, wide: bool, beside: bool, plain: bool) -> Table:
    v = voice(report)
    table = Table(
        box=box.ASCII2 if plain else box.SIMPLE_HEAD,
        leading=0 if wide else 1,
        header_style="bold",
        pad_edge=False,
    )
    table.add_column(v.say("column_level"), no_wrap=True)
    zone = v.local(report.generated).tzname()
    last_seen = f"{v.say('column_last_seen')} ({zone})"
    table.add_column(last_seen, min_width=16, max_width=None if wide else 16)
    table.add_column(v.say("column_count"), justify="right", no_wrap=True)
    table.add_column(
        v.say("column_title"), no_wrap=wide, overflow="fold", ratio=None if wide else 1
    )
    if beside:
        table.add_column(v.say("column_id"), no_wrap=True)
    for finding in report.findings:
        cells = [
            Text(v.level(finding.level), STYLES[finding.level.name]),
            Text(v.short(finding.last_seen)),
            Text(v.number(finding.count)),
            _what(finding, report, wide=wide, with_id=not beside),
        ]
        table.add_row(*cells, *([Text(one_line(finding.id), "dim")] if beside else []))
    return table


def _what(finding: Finding, report: Report, *, wide: bool, with_id: bool) -> Text:
    v = voice(report)
    text = Text(one_line(title(finding, report.language), _LONGEST), "bold")
    entity = "  ".join(f"{name}={value}" for name, value in finding.entity.items())
    if finding.status.value != "new":
        entity = f"[{v.say(f'status_{finding.status.value}')}] {entity}"
    if entity:
        text.append("  " if wide else "\n", "not bold").append(
            one_line(entity, _LONGEST), "not bold"
        )
    if with_id:
        text.append("\n").append(one_line(finding.id), "not bold dim")
    return text


def _sum(report: Report) -> str:
    v = voice(report)
    counts = Counter(finding.level for finding in report.findings)
    levels = ", ".join(
        f"{v.number(counts[level])} {v.level(level).lower()}"
        for level in sorted(counts, reverse=True)
    )
    said = v.counted(len(report.findings), "finding") + (f": {levels}" if levels else "")
    if report.malformed:
        n = v.counted(report.malformed, "document")
        said += ". " + v.agreeing("malformed", report.malformed, n=n)
    return said

"""``kr-secops report``: findings kept, or findings from a file, as a report."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from kr_secops import settings
from kr_secops.cli import console, options
from kr_secops.cli.group import command_group
from kr_secops.errors import UsageError
from kr_secops.language import chosen, is_asked, tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from kr_secops.report.interface import Collected, Report
    from kr_secops.settings import Settings
    from kr_secops.store.sqlite import Run

RUNS = 50
"""Runs whose reading the report of the findings kept tells together."""

app = command_group(tr("Write a report of the findings kept, or of findings from a file."))
app.info.no_args_is_help = False


@app.command("report", help=tr("Write a report of the findings kept, or of findings from a file."))
def report(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help=tr("Findings as NDJSON; - or a pipe is standard input.")
        ),
    ] = None,
    kept: Annotated[
        bool, typer.Option("--kept", help=tr("Findings kept, even when stdin is a pipe (cron)."))
    ] = False,
    form: options.Format = None,
    output: options.Output = None,
    agency: Annotated[str | None, typer.Option("--agency", help=tr("Name of the office."))] = None,
    prepared_by: Annotated[
        str, typer.Option("--prepared-by", help=tr("Who answers for the report."))
    ] = "",
    wide: Annotated[bool, typer.Option("--wide", help=tr("One line a finding."))] = False,
) -> None:
    """Write to stdout, or to ``-o FILE``; the format follows the file's ending if none is named."""
    from kr_secops.cli.writing import write

    configuration = settings.load({"agency": agency}).settings
    context = {**report_context(configuration), "prepared_by": prepared_by}
    if kept or (source is None and not _is_piped()):
        made = _kept(configuration, context)
    elif source is None or str(source) == "-":
        made = _given(sys.stdin.buffer, context)
    else:
        try:
            with source.open("rb") as stream:
                made = _given(stream, context)
        except OSError as e:
            raise UsageError(f"{source}: {e.strerror}") from None
    if made.malformed:
        console.note(tr("{count} lines were no findings.", count=made.malformed))
    if form is None and output and output.suffix:
        form = output.suffix.lstrip(".")
    write(made, form, output, wide=wide)


def report_context(configuration: Settings) -> dict[str, Any]:
    """Return what settings say of every report: language, zone and office."""
    context: dict[str, Any] = {
        "language": chosen() if is_asked() else configuration.language,
        "agency": configuration.agency,
        "generated": datetime.now(UTC),
    }
    if configuration.zone:
        context["zone"] = ZoneInfo(configuration.zone)
    return context


def _is_piped() -> bool:
    try:
        mode = os.fstat(0).st_mode
    except OSError:  # closed
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _given(lines: Iterable[bytes], context: dict[str, Any]) -> Report:
    from kr_secops.report.interface import Report

    return Report.from_documents(lines, **context)


def _kept(configuration: Settings, context: dict[str, Any]) -> Report:
    from kr_secops.report.interface import Report
    from kr_secops.store.sqlite import Store

    with Store.open(configuration.state_dir) as store:
        runs = [run for run in store.runs(RUNS) if "read" in run.counts]
        if runs:
            context = {**context, "collected": _collected(runs), "run": str(runs[0].number)}
        return Report.of(store.findings(), **context)


def _collected(runs: Sequence[Run]) -> Collected:
    """Return what the last runs read together; a source's last word says whether it was skipped."""
    from kr_secops.collect.interface import Skipped
    from kr_secops.report.interface import Collected

    events: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    skipped: dict[str, Skipped] = {}
    for run in reversed(runs):
        read = run.counts["read"]
        events.update(read["events"])
        lines.update(read["lines"])
        rejected.update(read["rejected"])
        for source in read["lines"]:
            skipped.pop(source, None)
        for source, reason in read["skipped"]:
            skipped[source] = Skipped(source, reason)
    return Collected(events, lines, rejected, tuple(skipped.values()))

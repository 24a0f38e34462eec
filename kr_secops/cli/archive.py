"""``kr-secops archive``: list, verify and print the archived events."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import orjson
import typer

from kr_secops import settings
from kr_secops.cli import console, options
from kr_secops.cli.group import command_group
from kr_secops.event import dumps
from kr_secops.language import tr
from kr_secops.report.inert import printable

app = command_group(tr("List, verify and print the archived events."))

Json = Annotated[
    str | None, typer.Option("-f", "--format", metavar="table|ndjson", help=tr("Default: table."))
]


@app.command("list", help=tr("Print the segments: data set, day, events, size and hash."))
def list_segments(form: Json = None) -> None:
    """Print a row a segment, in the order of their sealing."""
    from kr_secops.store.sqlite import Store

    with Store.open(settings.load().settings.state_dir) as store:
        entries = store.entries()
    if console.output_format(form, ("table", "ndjson")) == "ndjson":
        for entry in entries:
            sys.stdout.buffer.write(entry.line())
        return
    for entry in entries:
        one = entry.segment
        typer.echo(
            printable(f"{one.day}  {one.count:>9}  {one.size:>11}  {one.sha256[:16]}  {one.path}")
        )


@app.command(help=tr("Check every segment and the chain of hashes; exit code 1 if one fails."))
def verify(form: Json = None) -> None:
    """Print what was edited, deleted, swapped, cut or added since it was sealed."""
    from kr_secops.store.archive import Archive
    from kr_secops.store.sqlite import Store

    with Store.open(settings.load().settings.state_dir) as store:
        archive = Archive(store)
        problems = list(archive.verify())
        entries = archive.entries()
    for problem in problems:
        if form == "ndjson":
            sys.stdout.buffer.write(orjson.dumps(asdict(problem)) + b"\n")
        else:
            typer.echo(printable(f"{problem.path}: {problem.problem}"))
    if problems:
        raise typer.Exit(1)
    last = entries[-1].hash if entries else "-"
    console.note(
        tr(
            "{count} segments are as they were sealed; last hash {last}",
            count=len(entries),
            last=last,
        )
    )


@app.command(help=tr("Print archived events as NDJSON, by day."))
def cat(
    dataset: Annotated[
        str | None, typer.Option("--dataset", help=tr("Only of this event.dataset."))
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="YYYY-MM-DD", help=tr("From this day on (UTC).")),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="YYYY-MM-DD", help=tr("Before this day (UTC)."))
    ] = None,
) -> None:
    """Print one event a line."""
    from kr_secops.store.archive import Archive
    from kr_secops.store.sqlite import Store

    first: datetime | None = options.day(since) if since else None
    last: datetime | None = options.day(until) if until else None
    with Store.open(settings.load().settings.state_dir) as store:
        for event in Archive(store).read(dataset, first, last):
            sys.stdout.buffer.write(dumps(event) + b"\n")

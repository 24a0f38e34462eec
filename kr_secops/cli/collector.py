"""``kr-secops collector``: list and test collectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kr_secops.cli.group import command_group
from kr_secops.language import chosen, tr
from kr_secops.report.inert import printable

app = command_group(tr("List and test collectors."))


@app.command("list", help=tr("Print every collector: name, data set, where it reads."))
def list_collectors() -> None:
    """Print a line a collector."""
    from kr_secops.collect.collector import load

    for name, one in sorted(load().items()):
        typer.echo(
            printable(
                f"{name:<16} {one.dataset:<16} {one.title[chosen()]:<44} {' '.join(one.inputs)}"
            )
        )


@app.command(help=tr("Run the cases beside collectors; exit code 1 if one fails."))
def test(
    paths: Annotated[
        list[Path] | None, typer.Argument(help=tr("Folders or files; default: all collectors."))
    ] = None,
) -> None:
    """Print each failure with its place, and a line that counts."""
    from kr_secops import content
    from kr_secops.collect.selftest import run

    failures = 0
    count = 0
    for path in paths or content.search_path("collectors"):
        for result in run(path):
            count += 1
            if result.problem:
                failures += 1
                typer.echo(printable(f"{result.place}: {result.name}: {result.problem}"))
    typer.echo(tr("{count} cases, {failures} failed", count=count, failures=failures))
    if failures:
        raise typer.Exit(1)

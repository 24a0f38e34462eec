"""``kr-secops collector``: list and test collectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kr_secops.cli.group import command_group
from kr_secops.errors import UsageError
from kr_secops.language import chosen, tr
from kr_secops.report.inert import printable

app = command_group(tr("List and test collectors."))


@app.command("list", help=tr("Print every collector: name, data set, where it reads."))
def list_collectors() -> None:
    """Print a line a collector."""
    from kr_secops.collect.catalog import load

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
    from kr_secops.collect.selftest import cases_of, check_cases

    failures = count = 0
    for path in paths or content.search_path("collectors"):
        if not path.exists():
            raise UsageError(tr("{path}: there is no such file or folder", path=path))
        for one in sorted(path.glob("*.yml")) if path.is_dir() else [path]:
            if not cases_of(one).is_file():
                continue
            count += 1
            problems = check_cases(cases_of(one))
            failures += bool(problems)
            for problem in problems:
                typer.echo(printable(problem))
    typer.echo(tr("{count} collectors tested, {failures} failed", count=count, failures=failures))
    if failures:
        raise typer.Exit(1)

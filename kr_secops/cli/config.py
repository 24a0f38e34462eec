"""``kr-secops config``: show and check the settings."""

from __future__ import annotations

from typing import Annotated

import typer

from kr_secops import settings
from kr_secops.cli import console
from kr_secops.cli.group import command_group
from kr_secops.language import tr
from kr_secops.report.inert import printable

app = command_group(tr("Show and check the settings."))


@app.command(help=tr("Print every setting in force."))
def show(
    origin: Annotated[
        bool, typer.Option("--origin", help=tr("Say where each value comes from."))
    ] = False,
) -> None:
    """Print ``name: value`` a line, with ``--origin`` also the layer."""
    for name, value, source in settings.load().flat():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
        typer.echo(printable(f"{name}: {text}" + (f"  # {source}" if origin else "")))


@app.command(help=tr("Check every settings file; exit code 3 if one is wrong."))
def check() -> None:
    """Load all layers; mistakes are raised as ContentError with every place."""
    settings.load()
    read = settings.files()
    for path in read:
        console.note(str(path))
    console.note(tr("{count} settings files are valid.", count=len(read)))

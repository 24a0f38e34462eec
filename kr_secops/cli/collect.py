"""``kr-secops collect``: print the events of logs, the journal or a capture."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kr_secops.cli import console, options, reading
from kr_secops.cli.group import command_group
from kr_secops.errors import UsageError
from kr_secops.language import tr

app = command_group("")


@app.command(help=tr("Print the events of logs, the journal or a capture."))
def collect(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=tr("Collector, or auto, or pcap for a capture."))
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help=tr("What to read, like --from.")),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--from", help=tr("File, folder, journal or -; may repeat.")),
    ] = None,
    host: options.Host = None,
    zone: options.Zone = None,
    year: options.Year = None,
    form: Annotated[
        str, typer.Option("-f", "--format", metavar="ndjson", help=tr("Only ndjson."))
    ] = "ndjson",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Print one ECS event a line, masked, in input order."""
    from kr_secops import pipeline
    from kr_secops.collect.catalog import load
    from kr_secops.collect.reading import read
    from kr_secops.event import dumps

    console.output_format(form, ("ndjson",))
    console.set_quiet(quiet)
    collector = {"auto": None, "pcap": "network"}.get(name, name)
    paths = [*(files or []), *(sources or [])]
    if name == "pcap" and not paths:
        raise UsageError(tr("collect pcap needs the file of a capture"))
    if not paths and collector in (known := load()):
        paths = list(known[collector].inputs)
    configuration = reading.load_settings(host, zone)
    items = read(paths or configuration.logs, reading.read_options(configuration, collector, year))
    account = pipeline.Account()
    with options.opened(output) as stream:
        for event in pipeline.events(items, reading.guard(configuration), account):
            stream.write(dumps(event) + b"\n")
    sys.stdout.flush()
    reading.tell(account)
    reading.ensure_something_read(account)

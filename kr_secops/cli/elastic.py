"""``kr-secops elastic``: ship events and findings to Elasticsearch."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer

from kr_secops import settings
from kr_secops.cli import console
from kr_secops.cli.group import command_group
from kr_secops.language import tr
from kr_secops.report.inert import printable

app = command_group(tr("Ship events and findings to Elasticsearch."))

Urls = Annotated[
    list[str] | None,
    typer.Option("--url", help=tr("Address of a node; may repeat. Secrets come from files.")),
]
Form = Annotated[
    str | None, typer.Option("-f", "--format", metavar="table|json", help=tr("Default: table."))
]


@app.command(help=tr("Put the templates and the index of findings there; safe to repeat."))
def setup(
    url: Urls = None,
    retention: Annotated[
        str | None,
        typer.Option("--retention", metavar="365d", help=tr("Age at which events are deleted.")),
    ] = None,
) -> None:
    """Say which field types the server lacks."""
    from kr_secops.store.elastic import Cluster

    lacking = Cluster(settings.load({"elastic.url": url}).settings.elastic).setup(retention)
    if lacking:
        console.note(
            tr(
                "this server lacks the types {types}; simpler ones stand in",
                types=", ".join(lacking),
            )
        )
    console.note(tr("templates are in place"))


@app.command(help=tr("Deliver what the cluster has not got yet; each document arrives once."))
def ship(url: Urls = None, form: Form = None) -> None:
    """Print what was delivered; exit code 1 if documents were refused for good."""
    from kr_secops.store.elastic import Cluster
    from kr_secops.store.ship import ship as deliver
    from kr_secops.store.sqlite import Store

    configuration = settings.load({"elastic.url": url}).settings
    with Store.open(configuration.state_dir) as store, store.lock("ship"):
        shipped = deliver(Cluster(configuration.elastic), store)
    _write(asdict(shipped), form)
    if shipped.refused or shipped.damaged:
        raise typer.Exit(1)


@app.command(help=tr("Say whether the cluster is reachable and what waits for it."))
def status(url: Urls = None, form: Form = None) -> None:
    """Print version, templates, counts and what waits; exit code 1 if it cannot be used."""
    from kr_secops.store.elastic import Cluster
    from kr_secops.store.sqlite import Store

    configuration = settings.load({"elastic.url": url}).settings
    with Store.open(configuration.state_dir) as store:
        found = Cluster(configuration.elastic).status(store)
    _write(asdict(found), form)
    if found.problem:
        raise typer.Exit(1)


def _write(facts: dict[str, Any], form: str | None) -> None:
    if console.output_format(form, ("table", "json", "ndjson")) != "table":
        sys.stdout.buffer.write(orjson.dumps(facts) + b"\n")
        return
    for name, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        typer.echo(printable(f"{name.replace('_', ' '):<18} {'-' if text in ('', None) else text}"))

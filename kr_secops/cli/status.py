"""``kr-secops status``: how collection, detection and storage stand."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from kr_secops import settings
from kr_secops.cli import console
from kr_secops.cli.group import command_group
from kr_secops.language import tr
from kr_secops.report.inert import printable

if TYPE_CHECKING:
    from kr_secops.store.sqlite import Store

app = command_group("")


@app.command(help=tr("Say how collection, detection and storage stand."))
def status(
    form: Annotated[
        str | None, typer.Option("-f", "--format", metavar="table|json", help=tr("Default: table."))
    ] = None,
) -> None:
    """Print the last run, open findings, sources, the archive and what was rejected."""
    from kr_secops.store.sqlite import Store

    configuration = settings.load().settings
    with Store.open(configuration.state_dir) as store:
        facts = _facts(store)
    if console.output_format(form, ("table", "json", "ndjson")) != "table":
        sys.stdout.buffer.write(orjson.dumps(facts, default=str) + b"\n")
        return
    for name, value in facts.items():
        text = "  ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value
        typer.echo(printable(f"{name:<18} {text}"))


def _facts(store: Store) -> dict[str, Any]:
    runs = store.runs(1)
    entries = store.entries()
    return {
        "state": str(store.directory),
        "last run": {
            "command": runs[0].command,
            "started": runs[0].started,
            "ended": runs[0].ended,
            "outcome": runs[0].outcome,
            **{name: count for name, count in runs[0].counts.items() if name != "read"},
        }
        if runs
        else "-",
        "findings": dict(Counter(finding.level.name for finding in store.findings())),
        "statuses": dict(Counter(finding.status.value for finding in store.findings())),
        "sources": len(store.positions()),
        "archived events": sum(entry.segment.count for entry in entries),
        "archive": {
            "segments": len(entries),
            "bytes": sum(entry.segment.size for entry in entries),
            "last hash": entries[-1].hash if entries else "-",
        },
        "rejected": store.rejections(),
    }

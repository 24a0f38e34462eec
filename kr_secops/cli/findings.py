"""``kr-secops findings``: list, explain and settle the findings kept."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops import settings
from kr_secops.cli import console, options
from kr_secops.cli.group import command_group
from kr_secops.errors import UsageError
from kr_secops.event import timestamp
from kr_secops.finding import Level, Status
from kr_secops.language import chosen, tr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kr_secops.finding import Finding

app = command_group(tr("List, explain and settle the findings kept."))

Identity = Annotated[str, typer.Argument(metavar="ID", help=tr("Id of a finding, or its start."))]
Reason = Annotated[str | None, typer.Option("--reason", help=tr("Why; kept with the finding."))]


@app.command("list", help=tr("Print the findings, the worst and newest first."))
def list_findings(
    form: options.Format = None,
    output: options.Output = None,
    lowest: Annotated[str, typer.Option("--level", help=tr("Lowest severity shown."))] = "low",
    status: Annotated[
        list[str] | None, typer.Option("--status", help=tr("Only of this status; may repeat."))
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help=tr("Only of this host."))] = None,
    rule: Annotated[str | None, typer.Option("--rule", help=tr("Only of this rule's id."))] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="YYYY-MM-DD", help=tr("Seen since this day."))
    ] = None,
) -> None:
    """Print them as a report in the format asked for."""
    from kr_secops.store.sqlite import Store

    with Store.open(settings.load().settings.state_dir) as store:
        found = list(
            store.findings(
                levels=[one for one in Level if one >= options.level(lowest)],
                statuses=[_status(word) for word in status] if status else None,
                host=host,
                rule=rule,
                since=timestamp(options.day(since)) if since else None,
            )
        )
    _write(found, form, output)


@app.command(help=tr("Print one finding with its evidence and why it matched."))
def show(identity: Identity, form: options.Format = None, output: options.Output = None) -> None:
    """Print the finding whose id starts with ID."""
    from kr_secops.store.sqlite import Store

    with Store.open(settings.load().settings.state_dir) as store:
        finding = store.get(identity)
    if console.output_format(form, options.FORMATS) != "table":
        _write([finding], form, output)
        return
    from kr_secops.report.detail import detail

    with options.opened(output) as stream:
        stream.write(detail(finding, language=chosen()).encode("utf-8", "backslashreplace"))


@app.command(help=tr("Say that a finding is being looked into."))
def ack(identity: Identity, reason: Reason = None) -> None:
    """Set the status to acknowledged."""
    _settle(identity, Status.acknowledged, reason)


@app.command(help=tr("Close a finding; it opens again when it is seen again."))
def close(identity: Identity, reason: Reason = None) -> None:
    """Set the status to closed."""
    _settle(identity, Status.closed, reason)


@app.command(help=tr("Keep a finding silent until a day; the reason is kept with it."))
def suppress(
    identity: Identity,
    reason: Annotated[str, typer.Option("--reason", help=tr("Why; kept with the finding."))],
    until: Annotated[
        str, typer.Option("--until", metavar="YYYY-MM-DD", help=tr("Last day of the silence."))
    ],
) -> None:
    """Set the status to suppressed until the end of the day given."""
    end = datetime.combine(options.day(until).date(), time.max, UTC)
    if end < datetime.now(UTC):
        raise UsageError(tr("{day} is past", day=until))
    _settle(identity, Status.suppressed, reason, timestamp(end))


def _settle(identity: str, status: Status, reason: str | None, expires: str | None = None) -> None:
    from kr_secops.store.sqlite import Store

    with Store.open(settings.load().settings.state_dir) as store:
        finding = store.get(identity)
        store.set_status(finding.id, status, reason=reason, expires=expires, by=_who())
    console.note(f"{finding.id}: {status.value}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return str(os.getuid())


def _write(findings: Iterable[Finding], form: str | None, output: Path | None) -> None:
    from kr_secops.cli.report import report_context
    from kr_secops.cli.writing import write
    from kr_secops.report.interface import Report

    write(Report.of(findings, **report_context(settings.load().settings)), form, output)


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        known = ", ".join(Status)
        raise UsageError(
            tr("unknown status {word!r}; known: {known}", word=word, known=known)
        ) from None

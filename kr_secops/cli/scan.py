"""``kr-secops scan``: read logs, find threats, keep the findings."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kr_secops.cli import console, options, reading
from kr_secops.cli.detect import account_document, collected, load_rules, rule_titles
from kr_secops.cli.group import command_group
from kr_secops.collect.reading import JOURNAL
from kr_secops.finding import Status
from kr_secops.language import tr

if TYPE_CHECKING:
    from kr_secops.event import Position
    from kr_secops.finding import Finding
    from kr_secops.pipeline import Account
    from kr_secops.store.sqlite import Store

app = command_group("")


@app.command(help=tr("Read logs, find threats, keep the findings."))
def scan(
    paths: options.Paths = None,
    collector: options.CollectorName = None,
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    form: options.Format = None,
    output: options.Output = None,
    host: options.Host = None,
    zone: options.Zone = None,
    year: options.Year = None,
    again: Annotated[
        bool, typer.Option("--again", help=tr("Read from the beginning what was read before."))
    ] = False,
    skip_invalid: options.SkipInvalid = False,
    fail_on: options.FailOn = "low",
    exit_zero: options.ExitZero = False,
    quiet: options.Quiet = False,
) -> None:
    """Read what is new, keep it, and print what was found in it; with ``-q`` only what is new.

    Without a path, the settings' ``logs`` and the journal are read.
    """
    from kr_secops import pipeline as stations
    from kr_secops.collect.reading import read
    from kr_secops.detect.engine import Engine
    from kr_secops.store.archive import Archive
    from kr_secops.store.sqlite import Store

    console.set_quiet(quiet)
    lowest = options.level(fail_on)
    name = console.output_format(form, options.FORMATS)
    configuration = reading.load_settings(host, zone)
    wanted = paths or [*configuration.logs, *([JOURNAL] if configuration.journal else [])]
    with Store.open(configuration.state_dir) as store, store.lock():
        ruleset = load_rules(rules, pipeline, skip_invalid, reading.cache_dir(configuration))
        number = store.run_started("scan")
        how = replace(
            reading.read_options(configuration, collector, year),
            lookup=None if again else _lookup(store),
            growing=not paths,
        )
        engine = Engine(ruleset, windows=store.windows())
        account, keeper = stations.Account(), stations.Keeper(store, Archive(store))
        outcome = "failed"
        try:
            items = read(wanted, how)
            stations.scan(items, reading.guard(configuration), engine, keeper, account)
            outcome = "done"
        finally:
            counts = {"events": account.events.total(), "lines": account.lines.total()}
            counts |= {
                "skipped": len(account.skipped),
                "findings": len(keeper.seen),
                "forgotten": engine.forgotten,
            }
            store.run_finished(number, outcome, {**counts, "read": account_document(account)})
        reading.tell(account, forgotten=engine.forgotten)
        found = _found(store, set(keeper.loud) if quiet else keeper.seen)
        reading.ensure_something_read(account, known=_reads_on(store, account))
    if found or not quiet:
        from kr_secops.cli.report import report_context
        from kr_secops.cli.writing import write
        from kr_secops.report.interface import Report

        context: dict[str, Any] = report_context(configuration) | {"run": str(number)}
        context["collected"] = collected(account)
        context["rules"] = rule_titles(ruleset) if name in ("html", "json") else {}
        write(Report.of(found, **context), name, output)
    raise typer.Exit(options.exit_code(found, lowest, exit_zero))


def _lookup(store: Store) -> Any:
    def lookup(key: str, fingerprint: str) -> Position | None:
        return store.position(key) or (
            store.find_by_fingerprint(fingerprint) if fingerprint else None
        )

    return lookup


def _reads_on(store: Store, account: Account) -> bool:
    """Return whether a source that was read before can be read still."""
    skipped = {one.source for one in account.skipped}
    return any(
        position.key == JOURNAL or os.access(position.path, os.R_OK)
        for position in store.positions()
        if position.path not in skipped and position.key not in skipped
    )


def _found(store: Store, ids: set[str]) -> list[Finding]:
    return [
        finding
        for finding in store.findings()
        if finding.id in ids and finding.status is not Status.suppressed
    ]

"""``kr-secops detect``: match rules against logs or events, print findings; keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kr_secops.cli import console, options, reading
from kr_secops.cli.group import command_group
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.detect.engine import Match
    from kr_secops.event import Event
    from kr_secops.pipeline import Account
    from kr_secops.rule.ruleset import Ruleset

app = command_group("")

SOURCES_KEPT = 500

SHOWN = (
    *("@timestamp", "host.name", "event.dataset", "event.original", "source.ip", "user.name"),
    *("log.file.path", "log.offset", "winlog.record_id"),
)
"""What a match shows of its event."""


@app.command(help=tr("Match rules against logs or events, print findings; keep nothing."))
def detect(
    paths: options.Paths = None,
    collector: options.CollectorName = None,
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    form: options.Format = None,
    output: options.Output = None,
    matches: Annotated[
        bool, typer.Option("--matches", help=tr("Print each match of a rule with an event."))
    ] = False,
    host: options.Host = None,
    zone: options.Zone = None,
    year: options.Year = None,
    skip_invalid: options.SkipInvalid = False,
    fail_on: options.FailOn = "low",
    exit_zero: options.ExitZero = False,
    quiet: options.Quiet = False,
) -> None:
    """Print findings, or matches as NDJSON; the exit code tells the highest severity."""
    from kr_secops import pipeline as stations
    from kr_secops.collect.reading import read
    from kr_secops.detect.engine import Engine

    console.set_quiet(quiet)
    lowest = options.level(fail_on)
    name = "ndjson" if matches else console.output_format(form, options.FORMATS)
    configuration = reading.load_settings(host, zone)
    ruleset = load_rules(rules, pipeline, skip_invalid, reading.cache_dir(configuration))
    engine = Engine(ruleset)
    account = stations.Account()
    items = read(paths or ["-"], reading.read_options(configuration, collector, year))
    guard = reading.guard(configuration)
    if matches:
        _print_matches(stations.matches(items, guard, engine, account), output)
        reading.tell(account)
        reading.ensure_something_read(account)
        return
    findings = stations.detect(items, guard, engine, account)
    reading.tell(account)
    reading.ensure_something_read(account)
    from kr_secops.cli.report import report_context
    from kr_secops.cli.writing import write
    from kr_secops.report.interface import Report

    context = report_context(configuration) | {"collected": collected(account)}
    context["rules"] = rule_titles(ruleset) if name in ("html", "json") else {}
    write(Report.of(findings, **context), name, output)
    raise typer.Exit(options.exit_code(findings, lowest, exit_zero))


def load_rules(
    rules: options.Rules, pipelines: options.Pipelines, skip_invalid: bool, cache: Any
) -> Ruleset:
    """Return the rules asked for; with *skip_invalid* name on stderr those left out."""
    from kr_secops.rule.ruleset import load

    ruleset = load(rules or None, pipelines or (), cache_dir=cache, skip_invalid=skip_invalid)
    if ruleset.refused:
        for refusal in ruleset.refused:
            console.note(str(refusal))
        console.note(tr("{count} rules are left out.", count=len(ruleset.refused)))
    for one in ruleset.filters:
        if one.expired:
            console.note(
                tr(
                    "{path}: this filter ended on {day}; it hides nothing now",
                    path=one.path,
                    day=one.expires,
                )
            )
    return ruleset


def rule_titles(ruleset: Ruleset) -> dict[str, str]:
    """Return id → title of every rule that was looked for."""
    return {rule.id: rule.title for rule in ruleset.rules if rule.applies}


def collected(account: Account) -> Any:
    """Return *account* as the report tells it."""
    from kr_secops.report.interface import Collected

    return Collected(
        events=dict(account.events),
        lines=dict(account.lines),
        rejected=dict(account.rejections),
        skipped=tuple(account.skipped),
    )


def account_document(account: Account) -> dict[str, Any]:
    """Return *account* as plain values, to be kept with the run; sources beyond 500 are left out."""
    return {
        "events": dict(account.events),
        "lines": dict(account.lines.most_common(SOURCES_KEPT)),
        "rejected": dict(account.rejections.most_common(SOURCES_KEPT)),
        "skipped": [(one.source, one.reason) for one in account.skipped[:SOURCES_KEPT]],
    }


def _print_matches(found: Iterable[Match], output: options.Output) -> None:
    from kr_secops.event import dumps

    with options.opened(output) as stream:
        for match in found:
            stream.write(dumps(_match_document(match)) + b"\n")


def _match_document(match: Match) -> Event:
    event = match.event
    document: Event = {name: event[name] for name in SHOWN if event.get(name) is not None}
    document["rule.id"] = match.rule.id
    document["rule.name"] = match.rule.title
    document["kr.finding.level"] = match.rule.level.name
    return document

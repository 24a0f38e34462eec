"""``kr-secops detect``: match rules against logs or events, print findings; keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kr_secops.cli import console, options, reading
from kr_secops.cli.group import command_group
from kr_secops.errors import UsageError
from kr_secops.event import dumps
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
        bool,
        typer.Option(
            "--matches",
            help=tr("Print each match of a rule with an event, as NDJSON; exit code 0."),
        ),
    ] = False,
    full_scan: Annotated[
        bool,
        typer.Option(
            "--full-scan", help=tr("Put every rule to every event: slow; proves the index.")
        ),
    ] = False,
    jobs: Annotated[
        str,
        typer.Option(
            "--jobs", metavar="N|auto", help=tr("Processes that read files at the same time.")
        ),
    ] = "1",
    host: options.Host = None,
    zone: options.Zone = None,
    year: options.Year = None,
    skip_invalid: options.SkipInvalid = False,
    fail_on: options.FailOn = "low",
    exit_zero: options.ExitZero = False,
    quiet: options.Quiet = False,
) -> None:
    """Print findings, and tell the highest severity with the exit code; or print matches."""
    from kr_secops import parallel
    from kr_secops import pipeline as stations
    from kr_secops.collect.reading import choose, find_sources
    from kr_secops.detect.engine import Engine

    if full_scan:
        from kr_secops.detect.fullscan import FullScanEngine as Engine
    console.set_quiet(quiet)
    lowest = options.level(fail_on)
    if matches and form not in (None, "ndjson"):
        raise UsageError(tr("--matches prints NDJSON and no other format"))
    name = console.output_format(form, options.FORMATS)
    configuration = reading.load_settings(host, zone)
    ruleset = load_rules(rules, pipeline, skip_invalid, reading.cache_dir(configuration))
    engine = Engine(ruleset)
    account = stations.Account()
    how = reading.read_options(configuration, collector, year)
    sources = find_sources(paths or ["-"])
    run = parallel.Run(how, choose(how), reading.guard(configuration), engine, account)
    workers = parallel.processes(jobs, sources)
    if matches:
        _write(parallel.matches(sources, run, workers, _MatchLines()), output)
        reading.tell(account)
        reading.ensure_something_read(account)
        return
    findings = parallel.detect(sources, run, workers)
    reading.tell(account, forgotten=engine.forgotten)
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

    reading.ensure_exist(rules or ())
    ruleset = load(rules or None, pipelines or (), cache_dir=cache, skip_invalid=skip_invalid)
    if ruleset.refused:
        for refusal in ruleset.refused:
            # What waits for a list is known and stays so; a broken rule must be known of, always.
            tell = console.note if refusal.is_unanswered else console.say
            tell(str(refusal))
        console.note(tr("{count} rules are left out.", count=len(ruleset.refused)))
    if rules and not (len(ruleset) or ruleset.refused or ruleset.filters):
        raise UsageError(tr("{path}: holds no rules", path=", ".join(map(str, rules))))
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


def _write(lines: Iterable[bytes], output: options.Output) -> None:
    with options.opened(output) as stream:
        stream.writelines(lines)


class _MatchLines:
    """Writes matches; those of one event come together and share what is said of it."""

    def __init__(self) -> None:
        self._event: Event | None = None
        self._begin = b""
        self._ends: dict[int, bytes] = {}

    def __call__(self, match: Match) -> bytes:
        if match.event is not self._event:
            shown = {name: match.event[name] for name in SHOWN if match.event.get(name) is not None}
            self._event = match.event
            self._begin = dumps(shown).removesuffix(b"}") + (b"," if shown else b"")
        rule = match.rule
        end = self._ends.get(rule.number)
        if end is None:
            said = {
                "rule.id": rule.id,
                "rule.name": rule.title,
                "kr.finding.level": rule.level.name,
            }
            end = self._ends[rule.number] = dumps(said).removeprefix(b"{") + b"\n"
        return self._begin + end

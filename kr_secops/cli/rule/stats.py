"""``rule stats``: what each rule finds in the logs given, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from kr_secops.cli import console, options
from kr_secops.cli.rule import rows
from kr_secops.cli.rule.measuring import (
    Inputs,
    form_of,
    read_events,
    rules_within,
    tell_left_out,
    title,
)
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.cli.rule.rows import Row
    from kr_secops.detect.observed import Observed
    from kr_secops.detect.profile import Profile
    from kr_secops.detect.visibility import Verdict
    from kr_secops.event import Event
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

FORMATS: Final = ("table", "ndjson", "csv", "json")
_LISTED: Final = 20
_OFTEN: Final = 0.01
"""Share of the events for which a rule may be looked at in vain before it is named."""
_IN_VAIN: Final = 0.99


@dataclass(frozen=True, slots=True)
class _Measured:
    """One run."""

    profile: Profile
    observed: Observed
    rows: list[Row]
    """The costliest first."""


def stats(
    inputs: Inputs,
    collector: options.CollectorName = None,
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    slowest: Annotated[
        int | None,
        typer.Option("--slowest", min=1, metavar="N", help=tr("Only the N costliest rules.")),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="|".join(FORMATS), help=tr("Default: table.")),
    ] = None,
    output: options.Output = None,
    host: options.Host = None,
    zone: options.Zone = None,
    year: options.Year = None,
    skip_invalid: options.SkipInvalid = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the rules by their matches and by their cost, and those that were looked at in vain."""
    console.set_quiet(quiet)
    name = form_of(form, FORMATS)
    ruleset, chosen = rules_within(None, rules, pipeline, skip_invalid)
    measured = _measure(ruleset, chosen, read_events(inputs, collector, host, zone, year))
    shown = measured.rows[:slowest]
    with options.opened(output) as stream:
        if name == "table":
            _write_table(measured, slowest or _LISTED, stream)
        elif name == "csv":
            rows.write_csv(shown, _columns(), stream)
        elif name == "json":
            document = {**_totals(measured), "rules": shown}
            stream.write(rows.document(document, indent=True))
        else:
            rows.write_ndjson(shown, stream)
    tell_left_out(measured.observed)


def _measure(ruleset: Ruleset, chosen: list[Rule], events: Iterable[Event]) -> _Measured:
    from kr_secops.detect.observed import Observed
    from kr_secops.detect.profile import Profile
    from kr_secops.detect.visibility import judge, wanted

    profile = Profile(ruleset)
    observed = Observed(wanted(ruleset, chosen))
    for event in events:
        observed.add(event)
        profile.add(event)
    verdicts = judge(ruleset, chosen, observed).verdicts
    found = [_row(verdict, profile) for verdict in verdicts if verdict.rule.kind == "rule"]
    found.sort(key=lambda row: (-row["cpu_us"], -row["candidates"], row["rule.name"]))
    return _Measured(profile, observed, found)


def _row(verdict: Verdict, profile: Profile) -> Row:
    from kr_secops.detect.profile import Figures

    rule = verdict.rule
    figures = profile.figures.get(rule.number) or Figures(rule)
    false_rate = figures.false_rate
    return {
        "rule.id": rule.id,
        "rule.name": title(rule),
        "level": rule.level.name,
        "only_counted": not rule.output,
        "matches": figures.matches,
        "share": round(figures.matches / profile.events, 6) if profile.events else 0.0,
        "entities": len(figures.entities),
        "more_entities": figures.more_entities,
        "first": figures.first,
        "last": figures.last,
        "candidates": figures.candidates,
        "tested": figures.tested,
        "false_rate": None if false_rate is None else round(false_rate, 6),
        "cpu_us": round(figures.nanoseconds / 1000, 1),
        "sight": verdict.sight.value,
        "reason": verdict.reason.value,
        "missing": list(verdict.missing),
    }


def _totals(measured: _Measured) -> dict[str, Any]:
    told = [row for row in measured.rows if not row["only_counted"]]
    return {
        "events": measured.profile.events,
        "matches": sum(row["matches"] for row in told),
        "matching_rules": sum(row["matches"] > 0 for row in told),
        "cpu_us": round(sum(row["cpu_us"] for row in measured.rows), 1),
        "dead": sum(map(_is_dead, measured.rows)),
        "never_looked_at": sum(map(_is_idle, measured.rows)),
    }


def _is_dead(row: Row) -> bool:
    """Whether events of its log source came, and none fills a field it needs."""
    return bool(row["reason"] == "no field")


def _is_idle(row: Row) -> bool:
    """Whether it could fire and nothing gave reason to look."""
    return row["sight"] != "blind" and not row["candidates"]


def _is_in_vain(row: Row, events: int) -> bool:
    often = row["candidates"] > _OFTEN * events
    return often and row["false_rate"] is not None and row["false_rate"] >= _IN_VAIN


def _write_table(measured: _Measured, most: int, stream: BinaryIO) -> None:
    totals = _totals(measured)
    said = tr(
        "{events} events, {matches} matches of {rules} rules, {ms} ms in conditions",
        events=totals["events"],
        matches=totals["matches"],
        rules=totals["matching_rules"],
        ms=round(totals["cpu_us"] / 1000, 1),
    )
    rows.write_line(said, stream)
    found = measured.rows
    noisy = sorted((row for row in found if row["matches"]), key=lambda row: -row["matches"])
    events = measured.profile.events
    parts = (
        (tr("Most matches:"), noisy, ("matches", "share", "entities", "first", "last")),
        (
            tr("Costliest:"),
            [row for row in found if row["tested"]],
            ("cpu_us", "tested", "candidates", "false_rate", "matches"),
        ),
        (
            tr("Looked at in vain too often:"),
            [row for row in found if _is_in_vain(row, events)],
            ("candidates", "false_rate", "cpu_us"),
        ),
        (tr("Dead, for a field is never filled:"), list(filter(_is_dead, found)), ("missing",)),
    )
    columns = {column.name: column for column in _columns()}
    for head, part, names in parts:
        if part:
            rows.write_line(f"\n{head}", stream)
            shown = [columns[name] for name in (*names, "level", "rule.name")]
            rows.write_table(part[:most], shown, stream)
    idle = totals["never_looked_at"]
    rows.write_line(
        "\n" + tr("{count} rules could fire and were never looked at", count=idle), stream
    )


def _columns() -> list[rows.Column]:
    return [
        rows.Column("rule.name", tr("Rule"), 72),
        rows.Column("rule.id", "Id"),
        rows.Column("level", tr("Level")),
        rows.Column("matches", tr("Matches"), right=True),
        rows.Column("share", tr("Of events"), right=True, show=rows.percent),
        rows.Column("entities", tr("Entities"), right=True),
        rows.Column("first", tr("First"), 24),
        rows.Column("last", tr("Last"), 24),
        rows.Column("candidates", tr("Candidate"), right=True),
        rows.Column("tested", tr("Evaluated"), right=True),
        rows.Column("false_rate", tr("In vain"), right=True, show=rows.percent),
        rows.Column("cpu_us", tr("CPU µs"), right=True),
        rows.Column("sight", tr("Sight")),
        rows.Column("reason", tr("Reason")),
        rows.Column("missing", tr("Fields missing"), 72),
    ]

"""``rule visibility``: which rules could fire on the logs given, and which are blind."""

from __future__ import annotations

from collections import Counter
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
from kr_secops.language import chosen, tr

if TYPE_CHECKING:
    from kr_secops.cli.rule.rows import Row
    from kr_secops.detect.observed import Observed, Seen
    from kr_secops.detect.visibility import Source, Verdict, Visibility

FORMATS: Final = ("table", "ndjson", "json")
_LISTED: Final = 25
"""Rows of each part of the table."""


def visibility(
    inputs: Inputs,
    collector: options.CollectorName = None,
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
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
    """Print the log sources with the rules that could fire on them, and what blind rules need."""
    from kr_secops.detect.observed import Observed
    from kr_secops.detect.visibility import judge, wanted

    console.set_quiet(quiet)
    name = form_of(form, FORMATS)
    ruleset, chosen_rules = rules_within(None, rules, pipeline, skip_invalid)
    observed = Observed(wanted(ruleset, chosen_rules))
    for event in read_events(inputs, collector, host, zone, year):
        observed.add(event)
    found = judge(ruleset, chosen_rules, observed)
    with options.opened(output) as stream:
        if name == "table":
            _write_table(found, observed, stream)
        elif name == "json":
            stream.write(rows.document(_document(found, observed), indent=True))
        else:
            rows.write_ndjson(map(_verdict, found.verdicts), stream)
    tell_left_out(observed)


def _write_table(found: Visibility, observed: Observed, stream: BinaryIO) -> None:
    rows.write_line(_sum(found, observed), stream)
    rows.write_line("", stream)
    columns = [
        rows.Column("events", tr("Events"), right=True),
        rows.Column("could", tr("Can fire"), right=True),
        rows.Column("cannot", tr("Cannot"), right=True),
        rows.Column("source", tr("Log source"), 64),
        rows.Column("missing", tr("Fields missing"), 72),
    ]
    rows.write_table([_source(one) for one in found.sources[:_LISTED]], columns, stream)
    _say_more(len(found.sources), stream)
    unseen = _unseen(found)
    if unseen:
        rows.write_line("\n" + tr("No event came from:"), stream)
        columns = [
            rows.Column("rules", tr("Rules"), right=True),
            rows.Column("source", tr("Log source"), 64),
            rows.Column("advice", tr("Comes from"), 100),
        ]
        known = [row for row in unseen if row["advice"]]
        rows.write_table(known[:_LISTED], columns, stream)
        _say_more(len(known), stream)
    needing = [verdict for verdict in found.verdicts if verdict.missing]
    if needing:
        rows.write_line("\n" + tr("Rules that miss a field:"), stream)
        columns = [
            rows.Column("sight", tr("Sight"), show=lambda sight: _sights()[sight]),
            rows.Column("rule.name", tr("Rule"), 72),
            rows.Column("missing", tr("Fields missing"), 72),
            rows.Column("at", tr("Log source"), 48),
            rows.Column("advice", tr("Comes from"), 100),
        ]
        rows.write_table([_verdict(one) for one in needing[:_LISTED]], columns, stream)
        _say_more(len(needing), stream)


def _say_more(count: int, stream: BinaryIO) -> None:
    if count > _LISTED:
        rows.write_line(tr("… and {count} more; -f json has all", count=count - _LISTED), stream)


def _sum(found: Visibility, observed: Observed) -> str:
    sights = Counter(verdict.sight for verdict in found.verdicts)
    reasons = Counter(verdict.reason for verdict in found.verdicts if verdict.reason)
    counts = {"events": observed.events, "rules": len(found.verdicts)}
    said = tr("{events} events, {rules} rules", **counts)
    said += ": " + ", ".join(f"{count} {_sights()[sight]}" for sight, count in sights.most_common())
    because = ", ".join(f"{count} {_reasons()[reason]}" for reason, count in reasons.most_common())
    return said + (f" ({because})" if because else "")


def _sights() -> dict[str, str]:
    return {"seen": tr("seen"), "partly": tr("partly"), "blind": tr("blind")}


def _reasons() -> dict[str, str]:
    return {
        "no collector": tr("no collector of ours"),
        "no log source": tr("no event of their log source"),
        "no field": tr("a field never filled"),
    }


def _source(one: Source) -> Row:
    return {
        "source": one.label,
        "events": one.events,
        "could": len(one.could),
        "cannot": len(one.cannot),
        "missing": [name for name, _ in one.missing.most_common(5)],
    }


def _unseen(found: Visibility) -> list[Row]:
    from kr_secops.detect.advice import advice

    return [
        {"source": source, "rules": count, "advice": advice(source, chosen())}
        for source, count in found.unseen().most_common()
    ]


def _verdict(one: Verdict) -> Row:
    from kr_secops.detect.advice import field_advice

    advised = [field_advice(one.at, name, chosen()) for name in one.missing]
    return {
        "rule.id": one.rule.id,
        "rule.name": title(one.rule),
        "level": one.rule.level.name,
        "logsource": dict(one.rule.logsource),
        "sight": one.sight.value,
        "reason": one.reason.value,
        "missing": list(one.missing),
        "at": one.at,
        "advice": [*dict.fromkeys(filter(None, advised))],
        "wants": list(one.wants),
    }


def _document(found: Visibility, observed: Observed) -> dict[str, Any]:
    return {
        "events": observed.events,
        "events_left_out": observed.events_left_out,
        "names_left_out": observed.names_left_out,
        "sources": [_source(one) for one in found.sources],
        "unseen": _unseen(found),
        "fields": _filled(observed),
        "records": [
            {"source": seen.event(), "events": seen.events, "fields": _shares(seen)}
            for seen in sorted(observed.sources.values(), key=lambda seen: -seen.events)
        ],
        "rules": [_verdict(one) for one in found.verdicts],
    }


def _filled(observed: Observed) -> list[Row]:
    return [
        {"field": name, "events": count, "share": round(count / observed.events, 4)}
        for name, count in observed.filled().most_common()
    ]


def _shares(seen: Seen) -> dict[str, float]:
    return {name: round(count / seen.events, 4) for name, count in sorted(seen.filled.items())}

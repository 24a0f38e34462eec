"""``rule tune``: a filter proposed from false positives, and tried before it is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops import content
from kr_secops.cli import console, options, reading
from kr_secops.cli.rule.loading import Identity, load_rule_set, one_rule
from kr_secops.errors import UsageError
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kr_secops.collect.reading import Item
    from kr_secops.tune.run import Proposal, Tuner

DAYS = 90
"""How long a proposed filter lasts if nobody says otherwise: long enough to mend the cause."""


def tune(
    rule: Identity,
    false: Annotated[
        list[str],
        typer.Option("--false", metavar="INPUT", help=tr("Logs with false positives; may repeat.")),
    ],
    true: Annotated[
        list[str] | None,
        typer.Option(
            "--true", metavar="INPUT", help=tr("Logs whose matches must stay; may repeat.")
        ),
    ] = None,
    output: options.Output = None,
    reason: Annotated[
        str, typer.Option("--reason", help=tr("Why they are false; stands in the filter."))
    ] = "",
    expires: Annotated[
        str,
        typer.Option(
            "--expires",
            metavar="YYYY-MM-DD",
            help=tr("Last day of the filter; default: in 90 days."),
        ),
    ] = "",
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    collector: options.CollectorName = None,
    host: options.Host = None,
    zone: options.Zone = None,
    year: options.Year = None,
) -> None:
    """Write a Sigma filter to stdout or to ``-o FILE``; exit code 1 if no safe one exists."""
    from kr_secops.collect.reading import read
    from kr_secops.tune.run import Tuner

    if "-" in (*false, *(true or ())):
        raise UsageError(tr("tune reads its inputs twice; standard input can be read once"))
    today = datetime.now(UTC).date()
    until = _last_day(expires, today)
    configuration = reading.load_settings(host, zone)
    ruleset = load_rule_set(rules, pipeline, skip_invalid=True)
    how = reading.read_options(configuration, collector, year)
    tuner = Tuner(
        ruleset,
        one_rule(ruleset, rule),
        reading.guard(configuration),
        pipelines=pipeline or (),
        folders=[*content.search_path("rules"), *(path for path in rules or () if path.is_dir())],
        cache_dir=reading.cache_dir(configuration),
        today=today,
    )

    def reader(paths: list[str]) -> Callable[[], Iterable[Item]]:
        return lambda: read(paths, how)

    said = reason or f"proposed from {', '.join(false)}; say why these are false"
    proposal = tuner.propose(reader(false), reader(true or []), said, until)
    with options.opened(output) as stream:
        stream.write(proposal.text.encode())
    _tell(proposal, tuner)
    if not reason:
        console.say(tr("No reason was given: write one into the filter before you use it."))


def _last_day(text: str, today: date) -> date:
    if not text:
        return today + timedelta(days=DAYS)
    until = options.day(text).date()
    if until < today:
        raise UsageError(tr("{day} is past; a filter ends on a day to come", day=text))
    return until


def _tell(proposal: Proposal, tuner: Tuner) -> None:
    for side in proposal.before:
        reading.tell(side.account)
    (false, true), (still, kept) = proposal.before, proposal.after
    for i, one in enumerate(proposal.selections, 1):
        words = " and ".join(
            f"{atom.field}{f'|{atom.kind}' if atom.kind else ''}: {atom.text}"
            for atom in one.selection.atoms
        )
        console.note(
            tr(
                "selection {number}: {words}: {covered} of {false} false ones, {lost} of {true} true ones",
                number=i,
                words=words,
                covered=one.false,
                false=len(false.atoms),
                lost=one.true,
                true=len(true.atoms),
            )
        )
    console.note(
        tr(
            "{title}: false positives {before} before, {after} after; true matches {kept} before and after",
            title=tuner.rule.title,
            before=false.matches,
            after=still.matches,
            kept=kept.matches,
        )
    )
    events = sum(side.events for side in proposal.after)
    hidden = sum(side.hidden for side in proposal.after)
    console.note(
        tr(
            "{hidden} of the {events} events of the log source in these inputs meet it ({share} %).",
            hidden=hidden,
            events=events,
            share=f"{100 * proposal.share:.1f}",
        )
    )
    if proposal.is_broad:
        console.say(tr("That is broad: look whether the rule itself can be more exact."))
    if not true.matches:
        console.say(tr("No true match was given to keep: nothing shows that the filter is safe."))

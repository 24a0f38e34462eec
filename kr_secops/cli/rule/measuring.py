"""What the measuring sub-commands of ``rule`` share: which rules, and what was read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops import content
from kr_secops.cli import console, options, reading
from kr_secops.cli.detect import load_rules
from kr_secops.language import chosen, tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kr_secops.detect.observed import Observed
    from kr_secops.event import Event
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

Within = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help=tr("Only the rules in these files or folders.")),
]
Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help=tr("Files or folders of logs; - is standard input.")),
]


def rules_within(
    paths: Sequence[Path] | None,
    rules: options.Rules,
    pipeline: options.Pipelines,
    skip_invalid: bool,
) -> tuple[Ruleset, list[Rule]]:
    """Return the rule set, and those of its rules that stand below *paths*; all if none are given."""
    reading.ensure_exist(paths or ())
    roots = list(rules or content.search_path("rules"))
    below = [path.resolve() for path in paths or ()]
    known = [root.resolve() for root in roots]
    foreign = [path for path in below if not any(path.is_relative_to(root) for root in known)]
    configuration = reading.load_settings(None, None)
    asked = [*roots, *foreign] if rules or foreign else None
    ruleset = load_rules(asked, pipeline, skip_invalid, reading.cache_dir(configuration))
    if not below:
        return ruleset, list(ruleset.rules)
    chosen_rules = [
        rule
        for rule in ruleset.rules
        if any(rule.file.resolve().is_relative_to(path) for path in below)
    ]
    return ruleset, chosen_rules


def read_events(
    inputs: Sequence[str],
    collector: str | None,
    host: str | None,
    zone: str | None,
    year: int | None,
) -> Iterator[Event]:
    """Yield every event, masked; at the end tell what was left out, and fail if nothing was read."""
    from kr_secops.collect.reading import read
    from kr_secops.pipeline import Account, events

    configuration = reading.load_settings(host, zone)
    account = Account()
    items = read(inputs, reading.read_options(configuration, collector, year))
    yield from events(items, reading.guard(configuration), account)
    reading.tell(account)
    reading.ensure_something_read(account)


def tell_left_out(observed: Observed) -> None:
    """Say what was not counted because there was too much of it."""
    if observed.events_left_out:
        console.note(
            tr(
                "{count} events of too many log sources were not counted",
                count=observed.events_left_out,
            )
        )
    if observed.names_left_out:
        console.note(
            tr("{count} values of too many fields were not counted", count=observed.names_left_out)
        )


def title(rule: Rule) -> str:
    """Return the title in the language in force."""
    return (rule.title_id if chosen() == "id" else "") or rule.title


def form_of(asked: str | None, known: tuple[str, ...]) -> str:
    """Return the format asked for; these commands print tables unless told otherwise."""
    return console.output_format(asked or "table", known)

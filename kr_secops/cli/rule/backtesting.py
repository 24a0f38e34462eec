"""``rule backtest``: recorded logs against what rules must find in them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops.cli import console, options, reading
from kr_secops.cli.detect import load_rules
from kr_secops.cli.rule import rows
from kr_secops.errors import UsageError
from kr_secops.language import tr
from kr_secops.report.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kr_secops.backtest.trial import Result, Trial

FORMATS = ("table", "ndjson", "junit")


def backtest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="CORPUS",
            help=tr("backtest.yml, SigmaHQ's info.yml, or a folder that holds such files."),
        ),
    ],
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="|".join(FORMATS), help=tr("Default: table.")),
    ] = None,
    output: options.Output = None,
    update: Annotated[
        bool, typer.Option("--update", help=tr("Write the counts found into the backtest files."))
    ] = False,
    skip_invalid: options.SkipInvalid = False,
) -> None:
    """Print each expectation that does not hold; exit code 1 if there is one."""
    from kr_secops.backtest.corpus import find
    from kr_secops.backtest.run import Runner

    reading.ensure_exist(paths)
    wanted = console.output_format(form or "table", FORMATS)
    trials = find(paths)
    if update:
        _ensure_ours(trials)
    configuration = reading.load_settings(None, None)
    ruleset = load_rules(rules, pipeline, skip_invalid, reading.cache_dir(configuration))
    runner = Runner(ruleset, reading.guard(configuration), reading.cache_dir(configuration))
    runner.ensure_known(trials)
    results = list(runner.run(trials))
    _print(results, wanted, output)
    failures = sum(not result.passed for result in results)
    console.note(
        tr("{count} expectations, {failures} do not hold", count=len(results), failures=failures)
    )
    if update:
        failures = _update(results)
    if failures:
        raise typer.Exit(1)


def _ensure_ours(trials: Sequence[Trial]) -> None:
    for trial in trials:
        if not trial.strict:
            raise UsageError(
                tr("{path} is SigmaHQ's; --update changes only our own files", path=trial.name)
            )


def _update(results: Sequence[Result]) -> int:
    """Write what was found; return how many expectations could not be judged."""
    from itertools import groupby

    from kr_secops.backtest.update import update

    for name, group in groupby(results, key=lambda result: result.trial):
        count = update(Path(name), list(group))
        if count:
            console.note(tr("{path}: {count} counts written", path=name, count=count))
    return sum(result.broken for result in results)


def _print(results: Sequence[Result], form: str, output: Path | None) -> None:
    with options.opened(output) as stream:
        if form == "junit":
            from kr_secops.backtest.junit import write

            write(results, stream)
        elif form == "ndjson":
            rows.write_ndjson(map(asdict, results), stream)
        else:
            for result in results:
                if not result.passed:
                    text = f"{result.place}: {result.rule}: {result.problem}"
                    stream.write(one_line(text, 1000).encode() + b"\n")

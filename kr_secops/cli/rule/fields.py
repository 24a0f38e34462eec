"""``rule fields``: which fields the rules look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops import content
from kr_secops.cli import console, options
from kr_secops.cli.rule import rows
from kr_secops.cli.rule.measuring import Within, form_of, rules_within
from kr_secops.language import tr

if TYPE_CHECKING:
    from kr_secops.cli.rule.rows import Row
    from kr_secops.rule.fields import Use

FORMATS = ("table", "ndjson", "csv")


def fields(
    paths: Within = None,
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="|".join(FORMATS), help=tr("Default: table.")),
    ] = None,
    output: options.Output = None,
    skip_invalid: options.SkipInvalid = False,
) -> None:
    """Print a row a field, the most used first."""
    from kr_secops.rule.fields import used, written
    from kr_secops.rule.logsource import read_pipelines

    name = form_of(form, FORMATS)
    ruleset, chosen = rules_within(paths, rules, pipeline, skip_invalid)
    roots = [*content.search_path("rules"), *(rules or ()), *(paths or ())]
    pipelines = read_pipelines([root for root in roots if root.is_dir()], pipeline or ())
    names = written(chosen, pipelines)
    uses = sorted(used(ruleset, chosen).values(), key=lambda use: (-len(use.rules), use.name))
    found = [_row(use, names.get(use.name, set())) for use in uses]
    with options.opened(output) as stream:
        if name == "ndjson":
            rows.write_ndjson(found, stream)
        elif name == "csv":
            rows.write_csv(found, _columns(), stream)
        else:
            rows.write_table(found, _columns(), stream)
    strange = sum(not use.is_known for use in uses)
    counts = {"fields": len(uses), "rules": len(chosen), "strange": strange}
    console.note(tr("{fields} fields in {rules} rules; ECS does not know {strange}", **counts))


def _row(use: Use, written: set[str]) -> Row:
    return {
        "field": use.name,
        "rules": len(use.rules),
        "known": use.is_known,
        "modifiers": sorted(use.modifiers),
        "written": sorted(written),
        "sources": [source for source, _ in use.sources.most_common()],
    }


def _columns() -> list[rows.Column]:
    return [
        rows.Column("rules", tr("Rules"), right=True),
        rows.Column("known", "ECS", show=lambda known: "" if known else tr("unknown")),
        rows.Column("field", tr("Field")),
        rows.Column("written", tr("Written as"), 32),
        rows.Column("modifiers", tr("Modifiers"), 40),
        rows.Column("sources", tr("Log sources"), 80),
    ]

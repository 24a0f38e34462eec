"""``rule list`` and ``rule show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kr_secops.cli import console, options
from kr_secops.cli.rule import rows
from kr_secops.cli.rule.loading import Identity, load_rule_set, one_rule
from kr_secops.language import chosen, tr
from kr_secops.report.inert import one_line, printable
from kr_secops.rule.absent import why_absent

if TYPE_CHECKING:
    from kr_secops.rule.metadata import Rule


def list_rules(
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="table|ndjson", help=tr("Default: table.")),
    ] = None,
    skip_invalid: options.SkipInvalid = False,
) -> None:
    """Print a row a rule, the gravest first."""
    ruleset = load_rule_set(rules, pipeline, skip_invalid)
    found = sorted(ruleset.rules, key=lambda rule: (-rule.level, rule.title))
    if console.output_format(form, ("table", "ndjson")) == "ndjson":
        rows.write_ndjson(map(_document, found), sys.stdout.buffer)
        return
    for rule in found:
        source = "/".join(rule.logsource.values()) or rule.kind
        row = f"{rule.level.name:<13} {source:<24} {_title(rule):<64} {rule.id}"
        typer.echo(one_line(row if rule.applies else f"{row} ({why_absent(rule.logsource)})", 400))
    console.note(tr("{count} rules", count=len(found)))
    if idle := sum(not rule.applies for rule in found):
        console.note(tr("{count} of them are about logs that are not collected", count=idle))


def show(rule: Identity, rules: options.Rules = None, pipeline: options.Pipelines = None) -> None:
    """Print the metadata and the text of the rule's file."""
    one = one_rule(load_rule_set(rules, pipeline, skip_invalid=True), rule)
    for name, value in _document(one).items():
        if value not in ("", [], {}, None):
            typer.echo(one_line(f"{name:<20} {_plain(value)}", 2000))
    path = Path(one.path.rsplit(":", 2)[0])
    if path.is_file():
        typer.echo("")
        typer.echo(printable(path.read_text("utf-8", "replace").rstrip()))


def _title(rule: Rule) -> str:
    return (rule.title_id if chosen() == "id" else "") or rule.title


def _document(rule: Rule) -> dict[str, Any]:
    return {
        "rule.id": rule.id,
        "rule.name": rule.title,
        "title.id": rule.title_id,
        "kind": rule.kind,
        "level": rule.level.name,
        "status": rule.status,
        "logsource": dict(rule.logsource),
        "applies": rule.applies,
        "applies.reason": "" if rule.applies else why_absent(rule.logsource),
        "description": rule.description,
        "description.id": rule.description_id,
        "recommendation": dict(rule.recommendation),
        "tags": list(rule.tags),
        "controls": list(rule.controls),
        "falsepositives": list(rule.falsepositives),
        "references": list(rule.references),
        "entity": list(rule.entity),
        "path": rule.path,
    }


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {one}" for key, one in value.items())
    return str(value)

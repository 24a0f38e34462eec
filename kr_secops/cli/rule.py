"""``kr-secops rule``: list, show, check, test and explain rules."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from kr_secops import content
from kr_secops.cli import console, options, reading
from kr_secops.cli.detect import load_rules
from kr_secops.cli.group import command_group
from kr_secops.errors import UsageError
from kr_secops.language import chosen, tr
from kr_secops.report.inert import one_line, printable

if TYPE_CHECKING:
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

app = command_group(tr("List, check, test and explain rules."))

SHORTEST_ID = 4

Paths = Annotated[
    list[Path] | None, typer.Argument(help=tr("Files or folders; default: all rules."))
]
Identity = Annotated[
    str, typer.Argument(metavar="RULE", help=tr("Id, its start, title or file name of a rule."))
]


@app.command("list", help=tr("Print every rule: level, log source, title, file."))
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
    ruleset = _load(rules, pipeline, skip_invalid)
    found = sorted(ruleset.rules, key=lambda rule: (-rule.level, rule.title))
    if console.output_format(form, ("table", "ndjson")) == "ndjson":
        for rule in found:
            sys.stdout.buffer.write(orjson.dumps(_document(rule)) + b"\n")
        return
    for rule in found:
        source = "/".join(rule.logsource.values()) or rule.kind
        typer.echo(
            one_line(f"{rule.level.name:<13} {source:<24} {_title(rule):<64} {rule.id}", 400)
        )
    console.note(tr("{count} rules", count=len(found)))


@app.command(help=tr("Print one rule: what it looks for, and its file."))
def show(rule: Identity, rules: options.Rules = None, pipeline: options.Pipelines = None) -> None:
    """Print the metadata and the text of the rule's file."""
    one = _one(_load(rules, pipeline, skip_invalid=True), rule)
    for name, value in _document(one).items():
        if value not in ("", [], {}, None):
            typer.echo(one_line(f"{name:<20} {_plain(value)}", 2000))
    path = Path(one.path.rsplit(":", 2)[0])
    if path.is_file():
        typer.echo("")
        typer.echo(printable(path.read_text("utf-8", "replace").rstrip()))


@app.command(help=tr("Name every mistake in rules with line and column; exit code 3 if any."))
def check(
    paths: Paths = None,
    pipeline: options.Pipelines = None,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="table|ndjson", help=tr("Default: table.")),
    ] = None,
) -> None:
    """Print each complaint as ``path:line:column: key: problem``."""
    from kr_secops.rule.lint import check as lint

    wanted = paths or content.search_path("rules")
    _ensure_exist(wanted)
    ruleset = _load_for(paths, pipeline)
    remarks = [
        remark
        for remark in lint(wanted, ruleset)
        if not paths or any(remark.text.startswith(str(path)) for path in paths)
    ]
    for remark in remarks:
        if console.output_format(form or "table", ("table", "ndjson")) == "ndjson":
            sys.stdout.buffer.write(orjson.dumps(asdict(remark)) + b"\n")
        else:
            word = "" if remark.weight == "error" else f" ({tr('advice')})"
            typer.echo(one_line(f"{remark.text}{word}", 1000))
    errors = sum(remark.weight == "error" for remark in remarks)
    counts = {"errors": errors, "advice": len(remarks) - errors}
    console.note(tr("{errors} errors, {advice} pieces of advice", **counts))
    if errors:
        raise typer.Exit(3)


@app.command(help=tr("Run the cases beside rules; exit code 1 if one fails."))
def test(paths: Paths = None) -> None:
    """Print each failure with its place, and a line that counts."""
    from kr_secops.selftest import run

    wanted = paths or content.search_path("rules")
    _ensure_exist(wanted)
    failures = count = 0
    for result in run(wanted, _load_for(paths, None)):
        count += 1
        if not result.passed:
            failures += 1
            typer.echo(one_line(f"{result.path}: {result.name}: {result.problem}", 1000))
    typer.echo(tr("{count} cases, {failures} failed", count=count, failures=failures))
    if failures:
        raise typer.Exit(1)


@app.command(help=tr("Show which parts of a rule an event meets, and which not."))
def explain(
    rule: Identity,
    event: Annotated[
        str,
        typer.Argument(metavar="EVENT", help=tr("File with an event or log lines; - is stdin.")),
    ] = "-",
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    collector: options.CollectorName = None,
    zone: options.Zone = None,
    year: options.Year = None,
) -> None:
    """Print the condition as a tree for each event; exit code 1 if none matches."""
    from kr_secops import pipeline as stations
    from kr_secops.collect.reading import read
    from kr_secops.detect.explain import explain as why

    configuration = reading.load_settings(None, zone)
    ruleset = _load(rules, pipeline, skip_invalid=True)
    one = _one(ruleset, rule)
    trees = ruleset.trees(one.number)
    if not trees:
        raise UsageError(
            tr("{title!r} is a correlation; explain the rules it counts", title=one.title)
        )
    account = stations.Account()
    items = read([event], reading.read_options(configuration, collector, year))
    matched = False
    for found in stations.events(items, reading.guard(configuration), account):
        # A rule that is split into alternatives is met by any of them.
        explained = [why(one, found) for one in trees]
        tree = next((one for one in explained if one.get("true")), explained[0])
        matched = matched or tree.get("true", False)
        typer.echo(one_line(str(found.get("event.original") or found), 300))
        for line in _tree(tree, 1):
            typer.echo(line)
    reading.tell(account)
    reading.ensure_something_read(account)
    raise typer.Exit(0 if matched else 1)


def _tree(node: dict[str, Any], depth: int) -> list[str]:
    mark = "+" if node.get("true") else "-"
    indent = "  " * depth
    if "op" in node:
        name = f"{node['name']}: " if node.get("name") else ""
        lines = [f"{indent}{mark} {name}{node['op']}"]
        return lines + [line for inner in node["of"] for line in _tree(inner, depth + 1)]
    name = f"{node['name']}: " if node.get("name") else ""
    text = f"{name}{node.get('field')} {node.get('is')} {node.get('want')}  [{node.get('value')}]"
    return [f"{indent}{mark} {one_line(text, 400)}"]


def _load(rules: options.Rules, pipelines: options.Pipelines, skip_invalid: bool) -> Ruleset:
    configuration = reading.load_settings(None, None)
    return load_rules(rules, pipelines, skip_invalid, reading.cache_dir(configuration))


def _load_for(paths: list[Path] | None, pipelines: options.Pipelines) -> Ruleset:
    """Return the rules that *paths* may refer to: all of the search path, and their own."""
    from kr_secops.rule.ruleset import load

    known = [folder.resolve() for folder in content.search_path("rules")]
    foreign = [
        path
        for path in paths or ()
        if not any(path.resolve().is_relative_to(folder) for folder in known)
    ]
    configuration = reading.load_settings(None, None)
    return load(
        [*content.search_path("rules"), *foreign] if foreign else None,
        pipelines or (),
        cache_dir=reading.cache_dir(configuration),
        skip_invalid=True,
    )


def _ensure_exist(paths: list[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise UsageError(tr("{path}: there is no such file or folder", path=path))


def _one(ruleset: Ruleset, word: str) -> Rule:
    """Return the rule that *word* names: id, start of an id, title, or name of its file."""
    found = [
        rule
        for rule in ruleset.rules
        if word in (rule.id, rule.title, rule.title_id, rule.name)
        or (len(word) >= SHORTEST_ID and rule.id.startswith(word))
    ] or [
        rule for rule in ruleset.rules if Path(rule.path.rsplit(":", 2)[0]).stem == Path(word).stem
    ]
    if not found:
        raise UsageError(tr("no rule is called {word!r}", word=word))
    # Of a file with several documents the last one is what the file is about.
    return found[-1]


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

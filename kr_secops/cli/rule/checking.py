"""``rule check``, ``rule test`` and ``rule explain``."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kr_secops import content
from kr_secops.cli import console, options, reading
from kr_secops.cli.rule import rows
from kr_secops.cli.rule.loading import (
    Identity,
    Paths,
    as_loaded,
    ensure_rules,
    load_rule_set,
    load_with,
    one_rule,
)
from kr_secops.errors import ContentError, UsageError
from kr_secops.language import tr
from kr_secops.report.inert import one_line
from kr_secops.rule.absent import why_absent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kr_secops.collect.collector import Collector
    from kr_secops.rule.lint import Remark
    from kr_secops.rule.ruleset import Ruleset


def check(
    paths: Paths = None,
    pipeline: options.Pipelines = None,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="table|ndjson", help=tr("Default: table.")),
    ] = None,
) -> None:
    """Print each complaint as ``path:line:column: key: problem``."""
    from kr_secops.collect.catalog import load as load_collectors
    from kr_secops.rule.lint import Surroundings
    from kr_secops.rule.lint import check as lint

    name = console.output_format(form or "table", ("table", "ndjson"))
    ensure_rules(paths or [])
    produced = _produced(load_collectors().values())
    around = Surroundings(load_with(paths, pipeline), _techniques(), produced)
    if paths:
        spelled = {str(as_loaded(path) or path): str(path) for path in paths}
        remarks = list(_within(lint(map(Path, spelled), around), spelled))
    else:
        remarks = _without_foreign_advice(lint(content.search_path("rules"), around))
    words = {"error": "", "waiting": tr("waits for a list"), "warning": tr("advice")}
    for remark in remarks:
        if name == "ndjson":
            rows.write_ndjson([asdict(remark)], sys.stdout.buffer)
        else:
            word = words[remark.weight]
            typer.echo(one_line(f"{remark.text} ({word})" if word else remark.text, 1000))
    counts = Counter(remark.weight for remark in remarks)
    errors, advice = counts["error"], counts["warning"]
    console.note(tr("{errors} errors, {advice} pieces of advice", errors=errors, advice=advice))
    if errors:
        raise typer.Exit(3)


def _within(remarks: Iterable[Remark], spelled: Mapping[str, str]) -> Iterator[Remark]:
    """Yield the remarks on what was asked for, with paths as the user wrote them."""
    for remark in remarks:
        for loaded, written in spelled.items():
            if remark.text.startswith((f"{loaded}/", f"{loaded}:")):
                yield replace(remark, text=written + remark.text.removeprefix(loaded))
                break


def _without_foreign_advice(remarks: list[Remark]) -> list[Remark]:
    """Return *remarks* without advice on imported rules, which is for their authors."""
    from kr_secops.rule.bundle.imported import listed

    collections = (one for root in content.search_path("rules") for one in listed(root))
    foreign = tuple(f"{one.folder}/" for one in collections)
    kept = [one for one in remarks if one.weight != "warning" or not one.text.startswith(foreign)]
    if len(kept) < len(remarks):
        count = len(remarks) - len(kept)
        console.note(
            tr("{count} pieces of advice on imported rules: name their folder", count=count)
        )
    return kept


def _techniques() -> dict[str, str]:
    from kr_secops.report import attack

    techniques = {name: now or "nothing" for name, (now, _) in attack.retired().items()}
    return techniques | dict.fromkeys(attack.known(), "")


def _produced(collectors: Iterable[Collector]) -> dict[str, frozenset[str] | None]:
    """Return the fields of each data set, None where its collector does not say how lines look."""
    found: dict[str, frozenset[str] | None] = {}
    for collector in collectors:
        shapes = collector.shapes()
        fields = (shape.fields | shape.derived | shape.constants.keys() for shape in shapes)
        before = found.get(collector.dataset, frozenset())
        found[collector.dataset] = before.union(*fields) if before is not None and shapes else None
    return found


def test(paths: Paths = None) -> None:
    """Print each failure with its place, and a line that counts."""
    from kr_secops.selftest import run

    wanted = paths or content.search_path("rules")
    ensure_rules(paths or [])
    ruleset = load_with(paths, None)
    _ensure_loaded(wanted, ruleset)
    failures = count = 0
    for result in run(wanted, ruleset):
        count += 1
        if not result.passed:
            failures += 1
            typer.echo(one_line(f"{result.path}: {result.name}: {result.problem}", 1000))
    typer.echo(tr("{count} cases, {failures} failed", count=count, failures=failures))
    if failures:
        raise typer.Exit(1)


def _ensure_loaded(paths: Iterable[Path], ruleset: Ruleset) -> None:
    """Raise ContentError for what is wrong below *paths*: a rule left out would fail no test."""
    places = tuple(f"{as_loaded(path) or path}{end}" for path in paths for end in ("/", ":"))
    wrong = [str(one) for one in ruleset.refused if not one.is_unanswered]
    complaints = [text for text in wrong if text.startswith(places)]
    if complaints:
        raise ContentError(complaints)


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
    ruleset = load_rule_set(rules, pipeline, skip_invalid=True)
    one = one_rule(ruleset, rule)
    trees = ruleset.trees(one.number)
    if one.kind == "correlation":
        raise UsageError(
            tr("{title!r} is a correlation; explain the rules it counts", title=one.title)
        )
    if not trees:
        raise UsageError(f"{one.title!r}: {why_absent(one.logsource)}")
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

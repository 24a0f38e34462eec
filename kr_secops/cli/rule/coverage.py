"""``rule coverage``: which ATT&CK techniques the rules, or the findings kept, speak of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from kr_secops import settings
from kr_secops.cli import console, options
from kr_secops.cli.rule import rows
from kr_secops.cli.rule.measuring import Within, form_of, rules_within, title
from kr_secops.errors import UsageError
from kr_secops.language import chosen, tr
from kr_secops.report.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.cli.rule.rows import Row
    from kr_secops.report.coverage import Coverage, Covered

FORMATS = ("table", "navigator", "json", "csv")


def coverage(
    paths: Within = None,
    rules: options.Rules = None,
    pipeline: options.Pipelines = None,
    findings: Annotated[
        bool, typer.Option("--findings", help=tr("Count the findings kept instead of the rules."))
    ] = False,
    form: Annotated[
        str | None,
        typer.Option("-f", "--format", metavar="|".join(FORMATS), help=tr("Default: table.")),
    ] = None,
    output: options.Output = None,
    skip_invalid: options.SkipInvalid = False,
) -> None:
    """Print tactics with their techniques, or a layer for the ATT&CK Navigator."""
    from kr_secops.report.coverage import cover

    name = form_of(form, FORMATS)
    if findings and (paths or rules):
        raise UsageError(tr("--findings counts the findings kept, of whatever rules"))
    if findings:
        found = _kept()
    else:
        _, chosen_rules = rules_within(paths, rules, pipeline, skip_invalid)
        found = cover((title(rule), rule) for rule in chosen_rules)
    with options.opened(output) as stream:
        _WRITERS[name](found, tr("Findings") if findings else tr("Rules"), stream)


def _kept() -> Coverage:
    from kr_secops.report.coverage import cover
    from kr_secops.store.sqlite import Store

    language = chosen()
    with Store.open(settings.load().settings.state_dir) as store:
        return cover(
            (finding.text.get(language, {}).get("title") or finding.rule_name, finding)
            for finding in store.findings()
        )


def _write_table(found: Coverage, what: str, stream: BinaryIO) -> None:
    from kr_secops.report.coverage import sizes

    plain = [rows.Column("count", "", right=True), rows.Column("technique", "")]
    columns = [*plain, rows.Column("name", "", 80)]
    all_of = sizes()
    for tactic, techniques in found.tactics():
        named = _tactic(tactic)
        covered = tr("{count} of {all} techniques", count=len(techniques), all=all_of[tactic])
        rows.write_line(f"{named}: {covered}", stream)
        rows.write_table([_row(one) for one in techniques], columns, stream, head=False)
    for said, titles in _left_out(found):
        rows.write_line(f"{said} ({len(titles)}):", stream)
        for name, count in Counter(titles).items():
            times = f" ({count})" if count > 1 else ""
            rows.write_line(one_line(f"  {name}{times}"), stream)
    different = len({one.technique for one in found.techniques})
    console.note(f"{what}: {found.counted}, ATT&CK: {different}")


def _left_out(found: Coverage) -> Iterator[tuple[str, tuple[str, ...]]]:
    from kr_secops.report.attack import retired

    for technique, titles in found.retired.items():
        successor, name = retired()[technique]
        said = tr("{technique} is retired", technique=f"{technique} {name}")
        if successor:
            said += f" -> {successor}"
        yield said, titles
    for technique, titles in found.unknown.items():
        yield tr("ATT&CK knows no {technique}", technique=technique), titles
    if found.untagged:
        yield tr("Without a technique"), found.untagged


def _write_layer(found: Coverage, what: str, stream: BinaryIO) -> None:
    from kr_secops.report.navigator import layer

    for said, titles in _left_out(found):
        console.note(f"{said} ({len(titles)})")
    stream.write(rows.document(layer(found, f"kr-secops: {what}"), indent=True))


def _write_json(found: Coverage, _: str, stream: BinaryIO) -> None:
    from kr_secops.report.attack import VERSION
    from kr_secops.report.coverage import sizes

    all_of = sizes()
    document = {
        "attack": VERSION,
        "counted": found.counted,
        "tactics": [
            {
                "tactic": tactic,
                "name": _tactic(tactic),
                "of": all_of[tactic],
                "techniques": [_row(one) for one in techniques],
            }
            for tactic, techniques in found.tactics()
        ],
        "untagged": list(found.untagged),
        "retired": {name: list(titles) for name, titles in found.retired.items()},
        "unknown": {name: list(titles) for name, titles in found.unknown.items()},
    }
    stream.write(rows.document(document, indent=True))


def _write_csv(found: Coverage, what: str, stream: BinaryIO) -> None:
    for said, titles in _left_out(found):
        console.note(f"{said} ({len(titles)})")
    columns = [
        rows.Column("tactic", tr("Tactic")),
        rows.Column("technique", tr("Technique")),
        rows.Column("name", tr("Name")),
        rows.Column("count", tr("Number")),
        rows.Column("by", what),
    ]
    rows.write_csv((_row(one) for one in found.techniques), columns, stream)


def _tactic(tactic: str) -> str:
    from kr_secops.report.attack import TACTICS

    return TACTICS[tactic][chosen() == "id"]


def _row(one: Covered) -> Row:
    return {
        "tactic": one.tactic,
        "technique": one.technique,
        "name": one.name,
        "count": len(one.by),
        "by": list(one.by),
    }


_WRITERS: Final[dict[str, Callable[[Coverage, str, BinaryIO], None]]] = {
    "table": _write_table,
    "navigator": _write_layer,
    "json": _write_json,
    "csv": _write_csv,
}

"""``kr-secops rule``: the craft of rules. One line here a sub-command."""

from __future__ import annotations

from kr_secops.cli.group import command_group
from kr_secops.cli.rule import (
    backtesting,
    checking,
    coverage,
    fields,
    importing,
    listing,
    schemas,
    stats,
    tuning,
    visibility,
)
from kr_secops.language import tr

app = command_group(tr("List, check, test and explain rules."))

app.command("list", help=tr("Print every rule: level, log source, title, id."))(listing.list_rules)
app.command("show", help=tr("Print one rule: what it looks for, and its file."))(listing.show)
app.command(
    "check", help=tr("Name every mistake in rules with line and column; exit code 3 if any.")
)(checking.check)
app.command("test", help=tr("Run the cases beside rules; exit code 1 if one fails."))(checking.test)
app.command("explain", help=tr("Show which parts of a rule an event meets, and which not."))(
    checking.explain
)
app.command(
    "backtest", help=tr("Run recorded logs against the counts that rules must find in them.")
)(backtesting.backtest)
app.command(
    "coverage", help=tr("Say which ATT&CK techniques the rules cover; Navigator layers too.")
)(coverage.coverage)
app.command("fields", help=tr("Print the fields that the rules look at, and how."))(fields.fields)
app.command(
    "visibility", help=tr("Say which rules could fire on these logs, and what the rest lacks.")
)(visibility.visibility)
app.command("stats", help=tr("Count what each rule finds in these logs, and what it costs."))(
    stats.stats
)
app.command(
    "import", help=tr("Take rules of others into the site's own folder; SigmaHQ's, for example.")
)(importing.import_rules)
app.command(
    "tune", help=tr("Propose a filter that removes false positives and keeps every true match.")
)(tuning.tune)
app.command("schema", help=tr("Print the JSON Schema of rule files, for editors."))(schemas.schema)

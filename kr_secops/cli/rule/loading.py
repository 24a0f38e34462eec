"""What the sub-commands of ``rule`` share: which rules are meant, and how they are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops import content
from kr_secops.cli import options, reading
from kr_secops.cli.detect import load_rules
from kr_secops.document import did_you_mean
from kr_secops.errors import UsageError
from kr_secops.language import tr

if TYPE_CHECKING:
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

SHORTEST_ID = 4
SHOWN = 5
"""Rules that are named where a word may mean many."""

Paths = Annotated[
    list[Path] | None, typer.Argument(help=tr("Files or folders; default: all rules."))
]
Identity = Annotated[
    str, typer.Argument(metavar="RULE", help=tr("Id, its start, title or file name of a rule."))
]


def load_rule_set(
    rules: options.Rules, pipelines: options.Pipelines, skip_invalid: bool
) -> Ruleset:
    """Return the rules asked for by ``--rules``, or all."""
    configuration = reading.load_settings(None, None)
    return load_rules(rules, pipelines, skip_invalid, reading.cache_dir(configuration))


def as_loaded(path: Path) -> Path | None:
    """Return *path* as the places of loaded rules spell it; None: no folder of rules holds it."""
    resolved = path.resolve()
    for folder in content.search_path("rules"):
        if resolved.is_relative_to(folder.resolve()):
            return folder / resolved.relative_to(folder.resolve())
    return None


def load_with(paths: list[Path] | None, pipelines: options.Pipelines) -> Ruleset:
    """Return the rules that *paths* may refer to: all of the search path, and their own."""
    from kr_secops.rule.ruleset import load

    foreign = [path for path in paths or () if as_loaded(path) is None]
    configuration = reading.load_settings(None, None)
    return load(
        [*content.search_path("rules"), *foreign] if foreign else None,
        pipelines or (),
        cache_dir=reading.cache_dir(configuration),
        skip_invalid=True,
    )


def ensure_rules(paths: list[Path]) -> None:
    """Raise UsageError for the first of *paths* that is not there, or holds no file of rules."""
    from kr_secops.rule.source import find_files

    reading.ensure_exist(paths)
    for path in paths:
        if next(find_files([path]), None) is None:
            raise UsageError(tr("{path}: holds no rules", path=path))


def one_rule(ruleset: Ruleset, word: str) -> Rule:
    """Return the rule that *word* names: id, start of an id, title, or name of its file."""
    rules = ruleset.rules
    found = (
        [rule for rule in rules if word == rule.id]
        or [rule for rule in rules if word and word in (rule.title, rule.title_id, rule.name)]
        or [rule for rule in rules if len(word) >= SHORTEST_ID and rule.id.startswith(word)]
        or [rule for rule in rules if rule.file.stem == Path(word).stem]
    )
    if not found:
        known = [name for rule in rules for name in (rule.title, rule.title_id, rule.file.stem)]
        guess = did_you_mean(word, known)
        raise UsageError(tr("no rule is called {word!r}{guess}", word=word, guess=guess))
    if len({rule.file for rule in found}) > 1:
        ids = ", ".join(f"{rule.id} ({rule.title})" for rule in found[:SHOWN])
        raise UsageError(tr("{word!r} may mean several rules: {ids}", word=word, ids=ids))
    # Of a file with several documents the last one is what the file is about.
    return found[-1]

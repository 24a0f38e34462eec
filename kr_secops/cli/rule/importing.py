"""``rule import``: rules of others, put where ``detect`` and ``scan`` find them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kr_secops import content
from kr_secops.cli import console, options, reading
from kr_secops.errors import UsageError
from kr_secops.language import tr
from kr_secops.report.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kr_secops.rule.bundle.choice import Choice
    from kr_secops.rule.bundle.install import Outcome

SHOWN = 20
"""Files of a kind that are named; the rest is counted."""


def import_rules(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH", help=tr("Checkout, folder or zip file with rules, such as SigmaHQ's.")
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help=tr("Folder of rules; default: the site's own.")),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help=tr("Name of the collection there."))
    ] = "sigmahq",
    status: Annotated[
        str,
        typer.Option(
            "--status",
            metavar="stable|test|experimental",
            help=tr("Take rules of this status or better."),
        ),
    ] = "",
    level: Annotated[
        str,
        typer.Option(
            "--level",
            metavar="informational|low|medium|high|critical",
            help=tr("Take rules of this level or graver."),
        ),
    ] = "informational",
    product: Annotated[
        list[str] | None,
        typer.Option(
            "--product", help=tr("Take rules about this product, or about none; may repeat.")
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help=tr("Replace rules although they were changed here."))
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", help=tr("Print what was imported; import nothing."))
    ] = False,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="NAME", help=tr("Remove a collection."))
    ] = None,
) -> None:
    """Copy the rules, judge them, and exchange them for those imported before."""
    from kr_secops.rule.bundle import imported, install, origin

    root = to or content.own("rules")
    if listing + (remove is not None) + (path is not None) != 1:
        raise UsageError(tr("name a PATH to import, or --list, or --remove NAME"))
    if listing:
        for one in imported.listed(root):
            record = one.record
            words = (str(record.get(key, "")) for key in ("rules", "version", "imported", "source"))
            typer.echo(one_line("  ".join([one.name, *words]), 1000))
    elif remove is not None:
        imported.remove(root, remove)
        console.note(tr("{name} is removed from {path}", name=remove, path=root))
    elif path is not None:
        if not path.exists():
            raise UsageError(tr("{path}: there is no such file or folder", path=path))
        found = origin.read(path)
        outcome = install.install(
            found,
            root,
            name,
            _choice(status, level, product),
            cache_dir=reading.cache_dir(reading.load_settings(None, None)),
            today=datetime.now(UTC).date(),
            force=force,
        )
        _tell(outcome, found.version, root)


def _choice(status: str, level: str, products: list[str] | None) -> Choice:
    from kr_secops.rule.bundle.choice import Choice
    from kr_secops.rule.source import STATUSES

    if status and status not in STATUSES:
        known = ", ".join(STATUSES)
        raise UsageError(tr("unknown status {text!r}; known: {known}", text=status, known=known))
    return Choice(status, options.level(level), tuple(products or ()))


def _tell(outcome: Outcome, version: str, root: Path) -> None:
    is_first = not outcome.changed and not outcome.removed and len(outcome.added) == outcome.rules
    for word, files in (
        (tr("added"), [] if is_first else outcome.added),
        (tr("changed"), outcome.changed),
        (tr("removed"), outcome.removed),
    ):
        _name_some(word, files)
    _name_some(tr("left out"), [f"{file}: {why}" for file, why in outcome.left_out.items()])
    _name_some(tr("waits for a list"), outcome.waiting)
    if outcome.waiting:
        console.note(
            tr(
                "Put the values of each %list% into {path}, one a line.",
                path=root / "placeholders" / "LIST.txt",
            )
        )
    counts = {
        "added": len(outcome.added),
        "changed": len(outcome.changed),
        "removed": len(outcome.removed),
        "other": outcome.not_chosen,
    }
    typer.echo(
        tr(
            "{added} rules added, {changed} changed, {removed} removed; {other} not asked for",
            **counts,
        )
    )
    typer.echo(
        tr(
            "{loaded} rules load, {applying} of them about logs that are read here; {refused} left out, {waiting} waiting",
            loaded=outcome.loaded,
            applying=outcome.applying,
            refused=len(outcome.left_out),
            waiting=len(outcome.waiting),
        )
    )
    typer.echo(
        one_line(tr("{path}, version {version}", path=outcome.folder, version=version), 1000)
    )
    if not _is_searched(root):
        console.note(tr("No command looks into {path} by itself; name it with --rules.", path=root))


def _name_some(word: str, texts: Sequence[str]) -> None:
    for text in texts[:SHOWN]:
        console.note(one_line(f"{word}: {text}", 500))
    if len(texts) > SHOWN:
        console.note(tr("{word}: … and {count} more", word=word, count=len(texts) - SHOWN))


def _is_searched(root: Path) -> bool:
    resolved = root.resolve()
    return any(
        resolved == folder.resolve() or resolved.is_relative_to(folder.resolve())
        for folder in content.search_path("rules")
    )

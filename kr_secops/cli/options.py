"""Options that several commands share, said once."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from kr_secops.errors import UsageError
from kr_secops.finding import Level
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kr_secops.finding import Finding

FORMATS = ("table", "ndjson", "json", "csv", "html")

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH", help=tr("Files or folders of logs; - is standard input.")),
]
Format = Annotated[
    str | None,
    typer.Option(
        "-f", "--format", metavar="|".join(FORMATS), help=tr("Default: table, in a pipe ndjson.")
    ),
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help=tr("File to write instead of stdout."))
]
Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", help=tr("Folder or file of rules, instead of the shipped ones.")),
]
Pipelines = Annotated[
    list[str] | None,
    typer.Option("--pipeline", help=tr("pySigma processing pipeline, by name or file.")),
]
SkipInvalid = Annotated[
    bool, typer.Option("--skip-invalid", help=tr("Run although rules are invalid; list them."))
]
CollectorName = Annotated[
    str | None, typer.Option("--collector", help=tr("Collector; else found by content."))
]
Host = Annotated[str | None, typer.Option("--host", help=tr("Host of lines that do not name one."))]
Zone = Annotated[
    str | None, typer.Option("--zone", help=tr("Time zone of time stamps that state none."))
]
Year = Annotated[
    int | None,
    typer.Option("--year", min=1970, max=9998, help=tr("Year of time stamps without one.")),
]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        metavar="informational|low|medium|high|critical",
        help=tr("Lowest severity that the exit code tells."),
    ),
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help=tr("Exit with 0 whatever was found."))]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help=tr("Print only what must be known."))]


def level(text: str) -> Level:
    """Return the level named *text*; UsageError for another word."""
    try:
        return Level[text]
    except KeyError:
        known = ", ".join(one.name for one in Level)
        raise UsageError(
            tr("unknown level {text!r}; known: {known}", text=text, known=known)
        ) from None


def day(text: str) -> datetime:
    """Return the beginning of the day *text*, UTC; UsageError for other text."""
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        raise UsageError(tr("{text!r} is no day; write it as 2026-11-17", text=text)) from None


def exit_code(findings: Iterable[Finding], fail_on: Level, exit_zero: bool) -> int:
    """Return 0, or 11 to 14 by the highest level of *findings* that is at least *fail_on*."""
    highest = max((finding.level for finding in findings), default=Level.informational)
    if exit_zero or highest < fail_on or highest is Level.informational:
        return 0
    return 10 + highest


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """Give a stream for *path*, or stdout; a file appears only when it is whole.

    It is readable by its owner alone: a report tells of addresses, accounts and weaknesses.
    """
    if path is None or str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.is_char_device() or path.is_fifo():  # nothing to put in its place
        with _complaining(path), path.open("wb") as stream:
            yield stream
    else:
        with _complaining(path):
            # Made by this call alone, so that no link planted under its name is followed.
            number, name = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name}.", suffix=".part"
            )
        part = Path(name)
        try:
            with _naming(path), os.fdopen(number, "wb") as stream:
                yield stream
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say of a disk that is full which file it was for."""
    try:
        yield
    except OSError as e:
        if e.filename is None:
            raise OSError(e.errno, e.strerror, str(path)) from None
        raise


@contextmanager
def _complaining(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise UsageError(f"{path}: {e.strerror}") from None

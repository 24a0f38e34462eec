"""The only room that knows a terminal: data to stdout, talk to stderr, colour when wanted."""

from __future__ import annotations

import os
import sys
from typing import Literal, cast

from kr_secops.errors import UsageError
from kr_secops.language import tr
from kr_secops.report.inert import printable

Colour = Literal["auto", "always", "never"]

_colour: list[Colour] = ["auto"]
_quiet: list[bool] = [False]


def set_colour(wanted: str) -> None:
    """Choose colour: ``auto`` follows NO_COLOR, FORCE_COLOR and the terminal."""
    if wanted not in ("auto", "always", "never"):
        raise UsageError(tr("--color takes auto, always or never"))
    _colour[0] = cast("Colour", wanted)


def set_quiet(quiet: bool) -> None:
    """Silence talk on stderr; errors still speak."""
    _quiet[0] = quiet


def note(text: str) -> None:
    """Tell something that is nice to know, on stderr, unless quiet."""
    if not _quiet[0]:
        say(text)


def say(text: str) -> None:
    """Tell something that must be known, on stderr; nothing in it can steer the terminal."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def use_colour() -> bool:
    """Return whether output may be coloured: ``--color``, NO_COLOR, FORCE_COLOR, terminal."""
    if _colour[0] != "auto":
        return _colour[0] == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def output_format(asked: str | None, known: tuple[str, ...]) -> str:
    """Return the format asked for; else a table on a terminal and NDJSON in a pipe."""
    if asked is None:
        return "table" if sys.stdout.isatty() else "ndjson"
    if asked not in known:
        raise UsageError(
            tr("unknown format {format!r}; known: {known}", format=asked, known=", ".join(known))
        )
    return asked

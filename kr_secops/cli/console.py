"""The only room that knows a terminal: data to stdout, talk to stderr, colour when wanted."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Final, Literal, cast

from kr_secops.errors import UsageError
from kr_secops.language import tr

if TYPE_CHECKING:
    from rich.console import Console

Colour = Literal["auto", "always", "never"]

_colour: list[Colour] = ["auto"]
_quiet: list[bool] = [False]

# Control characters, and the Unicode marks that turn the direction of text: a log line may hold
# either, and would then rewrite the screen of whoever reads it (CVE-2021-42574 and older tricks).
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def printable(text: str) -> str:
    """Return *text* with every character that could steer a terminal shown as an escape."""
    return _UNPRINTABLE.sub(lambda m: m[0].encode("unicode_escape").decode(), text)


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
        say(printable(text))


def say(text: str) -> None:
    """Tell something that must be known, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def use_colour() -> bool:
    """Return whether output may be coloured: ``--color``, NO_COLOR, FORCE_COLOR, terminal."""
    if _colour[0] != "auto":
        return _colour[0] == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def rich_console(*, width: int | None = None) -> Console:
    """Return a rich console on stdout."""
    from rich.console import Console

    return Console(
        force_terminal=use_colour() or None,
        no_color=not use_colour(),
        highlight=False,
        width=width,
        legacy_windows=False,
    )


def output_format(asked: str | None, known: tuple[str, ...]) -> str:
    """Return the format asked for; else a table on a terminal and NDJSON in a pipe."""
    if asked is None:
        return "table" if sys.stdout.isatty() else "ndjson"
    if asked not in known:
        raise UsageError(
            tr("unknown format {format!r}; known: {known}", format=asked, known=", ".join(known))
        )
    return asked

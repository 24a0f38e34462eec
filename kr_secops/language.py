"""Messages in Indonesian or English: English text is the key, Indonesian the table below it.

`tr` is called when a message is shown. The language is chosen once, by `choose`, before any
command is loaded: ``--lang``, then ``KR_SECOPS_LANG``, then ``LC_ALL``, ``LC_MESSAGES``, ``LANG``.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Language = Literal["id", "en"]
VARIABLES: Final = ("KR_SECOPS_LANG", "LC_ALL", "LC_MESSAGES", "LANG")

_chosen: list[Language] = ["en"]
_asked: list[bool] = [False]


def choose(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Set and return the language that the command line or the environment asks for."""
    wanted = [environment.get(name, "") for name in VARIABLES]
    for i, argument in enumerate(arguments):
        if argument == "--lang" and i + 1 < len(arguments):
            wanted.insert(0, arguments[i + 1])
        elif argument.startswith("--lang="):
            wanted.insert(0, argument.removeprefix("--lang="))
    asked = next((text for text in wanted if text), "")
    _chosen[0] = "id" if asked.lower().startswith("id") else "en"
    # LANG says how a terminal speaks; only these two say how a report should.
    _asked[0] = bool(wanted[0] or len(wanted) > len(VARIABLES))
    return _chosen[0]


def chosen() -> Language:
    """Return the language in force."""
    return _chosen[0]


def is_asked() -> bool:
    """Return whether ``--lang`` or ``KR_SECOPS_LANG`` chose the language, not the locale."""
    return _asked[0]


def tr(english: str, /, **values: object) -> str:
    """Return *english* in the language in force, its ``{names}`` filled from *values*."""
    text = indonesian().get(english, english) if _chosen[0] == "id" else english
    return text.format(**values) if values else text


@cache
def indonesian() -> dict[str, str]:
    """Return the table English → Indonesian, ``kr_secops/indonesian.json``."""
    table: dict[str, str] = json.loads((files("kr_secops") / "indonesian.json").read_text("utf-8"))
    return table

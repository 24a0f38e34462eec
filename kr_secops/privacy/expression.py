"""How a pattern of an identifier is written: macros for edges, separators, dates and addresses.

Each pattern has two forms: an exact one, with look-around, that says where a value begins and ends,
and a wide one for the automaton, which knows no look-around and may take in a neighbour.
"""

from __future__ import annotations

import re
import string
from typing import Final

import hyperscan

from kr_secops.privacy import indonesia

_SEPARATOR: Final = r"(?:[ .\-]|%20|\xc2\xa0|\xe2\x80[\x90-\x93])"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_PLAIN_WORDS: Final = r"[Nn][Ii][Kk]|[Kk][Tt][Pp]|[Kk][Kk]|[Nn][Pp][Ww][Pp]|[Hh][Pp]|[Ww][Aa]"


def _letters_but(word: str) -> str:
    """Return an expression for two letters that do not begin *word*, or go on after it.

    ``postgresql@15-main.service``: every start of a systemd unit would else be worth a look.
    """
    spelt = [f"[{letter.upper()}{letter}]" for letter in word]
    others = [
        "".join(spelt[:i]) + f"(?:[^{letter.upper()}{letter}]|\\z)"
        for i, letter in enumerate(word)
        if i > 1
    ]
    but = {letter: _alphabet_but(letter) for letter in word[:2]}
    return (
        f"(?:{but[word[0]]}[A-Za-z]|{spelt[0]}{but[word[1]]}|{'|'.join(others)}"
        f"|{''.join(spelt)}[A-Za-z])"
    )


def _alphabet_but(letter: str) -> str:
    return "[" + "".join(c + c.upper() for c in string.ascii_lowercase if c != letter) + "]"


_MACROS: Final = {
    "<->": _SEPARATOR + "?",
    "<province>": f"(?:{indonesia.PROVINCES})",
    "<area>": indonesia.AREAS,
    "<day40>": r"(?:[04][1-9]|[1256][0-9]|[37][01])",
    "<month>": _MONTH,
    "<at>": r"(?:@|%(?:25)*40|\\+u0040|&#64;|&#x40;)",
}
# The automaton has no look-around: there an edge is a character of the match, and a little wider.
WIDE: Final = {
    "<start>": (
        rf"(?:^|[^0-9A-Za-z.]|(?:^|[^0-9])\.|%[0-9A-Fa-f]{{2}}|\\[nrt]|\\u00[0-9A-Fa-f]{{2}}"
        rf"|{_PLAIN_WORDS})"
    ),
    "<end>": r"(?:[^0-9A-Za-z]|\z)",
    # Only the first letters of the top-level domain: each further one would report again.
    "<local>": r"[A-Za-z0-9_.+\-%]+",
    "<domain>": r"[A-Za-z0-9][A-Za-z0-9.\-]*\." + _letters_but("service"),
}
EXACT: Final = {
    "<start>": (
        r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\u00[0-9A-Fa-f]{2})"
        + "".join(f"|(?<={word})" for word in _PLAIN_WORDS.split("|"))
        + r")(?<![0-9]\.)(?<![0-9a-f]{4}-)"
    ),
    "<end>": r"(?![0-9A-Za-z])(?!-[0-9a-f]{4})",
    "<local>": (
        r"(?:(?<![A-Za-z0-9_.+\-%\\])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\u00[0-9A-Fa-f]{2}))"
        r"(?:[A-Za-z0-9_.+\-]|%2[Bb])+"
    ),
    "<domain>": r"[A-Za-z0-9][A-Za-z0-9.\-]{0,190}\.[A-Za-z]{2,24}(?![A-Za-z0-9])",
}
_MACRO: Final = re.compile(r"(?<!\?P)<(?:->|[a-z0-9]+>)")


def is_pattern(pattern: str) -> str | None:
    """Return why *pattern* cannot be used, or None."""
    unknown = set(_MACRO.findall(pattern)) - _MACROS.keys() - WIDE.keys()
    if unknown:
        return f"{', '.join(sorted(unknown))} is not known"
    try:
        re.compile(expand(pattern, EXACT).encode("ascii"))
        compile_all([expand(pattern, WIDE)])
    except (re.error, hyperscan.HyperscanError, UnicodeEncodeError) as e:
        return f"cannot be compiled: {e}"
    return None


def expand(pattern: str, edges: dict[str, str]) -> str:
    """Return *pattern* with its macros spelt out, those of its edges by `EXACT` or `WIDE`."""
    return _MACRO.sub(lambda m: _MACROS.get(m[0]) or edges.get(m[0], m[0]), pattern)


def compile_all(patterns: list[str], flags: int = 0) -> hyperscan.Database:
    """Return one automaton of expanded *patterns*, numbered by their place."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern.encode("ascii") for pattern in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[hyperscan.HS_FLAG_MULTILINE | flags] * len(patterns),
    )
    return database

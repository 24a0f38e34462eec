"""Searches a text for an expression or a pattern with wildcards, in time that its length bounds.

Python tries every way in which an expression could fit. Of a command line of thousands of letters,
made for that by an attacker, there are so many that one event would hold up a run for hours. So a
long text is searched by hyperscan, which reads it once, wherever that understands the expression
and says of every text the same.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONG: Final = 1024
"""Characters up to which trying every way takes milliseconds at most."""

_OTHERWISE: Final = re.compile(
    r"\{,|(?<!\\)(?:\\\\)*\\[ZvxuUN0-9]|\(\?(?!:|P<|[ims]+\)|[=!])|[^\n -~]"
)
"""What hyperscan reads in another way, or does not know."""
_PIECES: Final = re.compile(r"\\.|\.\*|\(\?:i\u0307\|\.\)|.", re.DOTALL)
_STAR: Final = ".*"
_ONE_LETTER: Final = "(?:i\u0307|.)"
_SHORTER_FIRST: Final = "(?:.|i\u0307)"
_SPACES: Final = dict.fromkeys(range(0x1C, 0x20), "\v")
"""To Python the four separators of ASCII are spaces, to hyperscan they are not."""
_CASES: Final = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}
"""Letters that Python takes for those of ASCII, without regard to case."""


@functools.lru_cache(4096)
def expression(pattern: str, flags: int) -> re.Pattern[str]:
    """Return *pattern* compiled."""
    return re.compile(pattern, flags)


def is_in(pattern: str, flags: int, text: str) -> bool:
    """Return whether *text* holds a match of the expression *pattern*."""
    search = _in_one_go(pattern, flags, text.isascii()) if len(text) > LONG else None
    return search(text) if search else expression(pattern, flags).search(text) is not None


@functools.lru_cache(512)
def _in_one_go(pattern: str, flags: int, is_ascii: bool) -> Callable[[str], bool] | None:
    """Return a search by hyperscan of texts of ASCII or others, None where it would not say the same.

    What it makes of classes of all letters takes fifty times as long to make.
    """
    if _OTHERWISE.search(pattern):
        return None
    flags = expression(pattern, flags).flags
    scan, is_sure = _scanner(pattern, flags, is_ascii)
    if scan is None:
        return None
    alike = _SPACES | (_CASES if flags & re.IGNORECASE else {})

    def search(text: str) -> bool:
        hits: list[int] = []

        def note(number: int, *_: Any) -> None:
            hits.append(number)

        scan(text.translate(alike).encode("utf-8", "replace"), match_event_handler=note)
        return bool(hits) and (is_sure or expression(pattern, flags).search(text) is not None)

    return search


def _scanner(pattern: str, flags: int, is_ascii: bool) -> tuple[Callable[..., Any] | None, bool]:
    """Return hyperscan's search, and whether what it finds is there, not only what it does not."""
    import hyperscan

    chosen = hyperscan.HS_FLAG_SINGLEMATCH
    chosen |= 0 if is_ascii else hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_UCP
    for ours, theirs in (
        (re.IGNORECASE, hyperscan.HS_FLAG_CASELESS),
        (re.MULTILINE, hyperscan.HS_FLAG_MULTILINE),
        (re.DOTALL, hyperscan.HS_FLAG_DOTALL),
    ):
        chosen |= theirs if flags & ours else 0
    for loosely in (0, hyperscan.HS_FLAG_PREFILTER):
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(expressions=[pattern.encode()], elements=1, flags=chosen | loosely)
        except hyperscan.HyperscanError:
            continue
        return database.scan, not loosely
    return None, False


@functools.lru_cache(4096)
def wildcards(pattern: str) -> re.Pattern[str]:
    """Return the expression of a text with wildcards, made so that none is tried twice.

    What stands between two stars fits best where it fits first, so that place is never given up:
    ``.*a.*b.*c`` becomes ``(?>.*?a)(?>.*?b).*c``.
    """
    parts = [""]
    for piece in _PIECES.findall(pattern):
        if piece == _STAR:
            parts.append("")
        else:
            parts[-1] += piece
    first, *between = parts
    if not between:
        return re.compile(pattern, re.DOTALL)
    *middle, last = between
    return re.compile(first + "".join(map(_first_place, middle)) + f".*{last}", re.DOTALL)


def _first_place(part: str) -> str:
    # Where two letters are of unknown length, the first place need not be the best.
    if part.count(_ONE_LETTER) > 1:
        return f".*?{part}"
    return f"(?>.*?{part.replace(_ONE_LETTER, _SHORTER_FIRST)})"

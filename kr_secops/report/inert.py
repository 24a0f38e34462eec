"""Text from outside, made harmless for whoever looks at it: terminal, page or spreadsheet."""

from __future__ import annotations

import re
from typing import Final

# Control characters and lone surrogates; the marks that turn the direction of text or do not show
# (CVE-2021-42574 and older tricks); line separators that only some programs honour; tag letters.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# A spreadsheet takes a cell that begins like this for a formula. The same holds behind a semicolon
# or a line end: where the list separator is the semicolon, as in Indonesia, a CSV with commas is
# cut there.
_FORMULA: Final = re.compile(r"(^|[;\t\n])(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def printable(text: str) -> str:
    """Return *text* with every character that could steer or deceive shown as an escape.

    Line ends and tabs stay; an ESC becomes four plain characters, a backslash and ``x1b``.
    """
    return _UNSEEN.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str, limit: int = 200) -> str:
    """Return *text* printable, on one line, cut to *limit* characters with an ellipsis."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return printable(cut.replace("\t", " ").replace("\n", "\\n"))


def cell(text: str) -> str:
    """Return *text* as a spreadsheet cell that no program takes for a formula (OWASP)."""
    return _FORMULA.sub(r"\1'", printable(text))

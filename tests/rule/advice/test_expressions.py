"""Expressions that may take for ever, and those that need not be any."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.rule.advice.conftest import Advise

EXPONENTIAL = {
    r"(a+)+$": "a" * 22 + "!",
    r"^(\w+\s?)*$": "w" * 22 + "!",
    r"(?:.*\)){1,}.*x$": ")" * 22,
    r"^(?:ab|a|b)+$": "ab" * 14 + "!",
    r"^(?:[a-f][0-9a-f]|[0-9a-f])+$": "a" * 26 + "!",
    r"^([a-z]*)*$": "a" * 22 + "!",
}
"""Expression → a text on which it shows."""
LINEAR = [
    r"(\\[^\\]+)+$",
    r"(a+b)+$",
    r"(?:\w+\.)+com",
    r"(?:[a-z]+=[^;]*;)+",
    r"(?:\s*\d{1,3}\s*,){2}",
    r"^(?:ab|cd|ac)+$",
    r"^(?:a|[a-z])+$",  # one set of characters, as Python reads it
    r"foo.*bar.*baz",
    r"[0-9a-f]{32}",
]


def risky(advise: Advise, pattern: str) -> list[str]:
    text = pattern.replace("'", "''")
    found = advise(f"detection:\n  s:\n    b: x\n    a|re: '{text}'\n  condition: s\n")
    return [one for one in found if "time" in one]


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_what_explodes_is_named(advise: Advise, pattern: str) -> None:
    (found,) = risky(advise, pattern)
    assert found.startswith("4:5: a|re: ")
    # The text proves the claim: six characters more cost several times as much.
    text = EXPONENTIAL[pattern]
    begin = time.process_time()
    re.search(pattern, text[6:])
    short = time.process_time() - begin
    begin = time.process_time()
    re.search(pattern, text)
    assert time.process_time() - begin > 4 * short


@pytest.mark.parametrize("pattern", LINEAR)
def test_what_does_not_is_left_alone(advise: Advise, pattern: str) -> None:
    assert risky(advise, pattern) == []


def test_three_in_a_row(advise: Advise) -> None:
    (found,) = risky(advise, r"a.*.*.*b")
    assert "grows with the cube" in found


@pytest.mark.parametrize(
    ("item", "instead"),
    [
        ("a|re: 'foo'", "FIELD|contains|cased"),
        ("a|re|i: 'foo'", "FIELD|contains "),
        (r"a|re: '\.\d'", None),
        (r"a|re: '10\.0\.0\.1'", "FIELD|contains "),
        ("a|re: '^foo'", "FIELD|startswith|cased"),
        ("a|re: 'foo$'", "FIELD|endswith|cased"),
        ("a|re: '^foo$'", "FIELD|cased"),
        ("a|re: '^.*foo.*$'", "FIELD|contains|cased"),
        ("a|re: 'fo+'", None),
        (r'a|re: "\n\n"', None),
    ],
)
def test_plain_texts(advise: Advise, item: str, instead: str | None) -> None:
    found = advise(f"detection:\n  s:\n    b: x\n    {item}\n  condition: s\n")
    if instead is None:
        assert found == []
    else:
        (text,) = found
        assert f"needs no expression: {instead}" in text

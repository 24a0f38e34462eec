"""Values said twice, covered by others, or with a wildcard too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.rule.advice.conftest import Advise

CASES = {
    "twice": ("a|contains: [xy, zz, xy]", ["'xy' stands in this list already"]),
    "twice but for case": (
        "a|contains: [xy, zz, XY]",
        ["'XY' stands in this list already (case does not matter)"],
    ),
    "case matters here": ("a|cased: [xy, XY]", []),
    "a number and its text": ("a: [1, 2, '1']", ["'1' stands in this list already (case does not matter)"]),
    "covered": ("a|contains: [foobar, FOO, qux]", ["'foobar' is covered by 'FOO'"]),
    "covered at the end": ("a|endswith: [\\a\\b.exe, \\b.exe]", [r"'\\a\\b.exe' is covered by '\\b.exe'"]),
    "covered at the start": ("a|startswith: [/usr/bin/x, /usr]", ["'/usr/bin/x' is covered by '/usr'"]),
    "inside, but not at the end": ("a|endswith: [b.exe.old, b.exe]", []),
    "exact values cover nothing": ("a: [foobar, foo]", []),
    "wildcards are not compared": ("a|contains: [foo*bar, foo]", []),
    "all of them": ("a|contains|all: [foobar, foo]", ["'foo' is said already by 'foobar'"]),
    "many": (
        "a|contains: [f, f1, f2, f3, f4, f5, f6]",
        ["2 more values of this list", *(f"'f{i}' is covered by 'f'" for i in (1, 2, 3, 4))],
    ),
    "a single all": ("a|contains|all: [foo]", ["all says nothing about a single value"]),
    "a single all that tells two keys apart": ("a|contains: foo\n    a|contains|all: bar", []),
    "only a wildcard": ("a: '*'", ["* alone asks only for any value; write FIELD|exists: true"]),
    "open anyway": ("a|contains: '*foo'", ["contains is open on both sides as it is"]),
    "open behind": ("a|startswith: 'foo*'", ["startswith is open behind as it is"]),
    "open before": ("a|endswith: '*foo'", ["endswith is open before as it is"]),
    "not closed": ("a|startswith: '*foo'", ["startswith with a * on its closed side is contains"]),
    "an escaped star": (r"a|contains: 'foo\*'", []),
    "a backslash and a star": (r"a|contains: 'foo\\*'", ["contains is open on both sides"]),
    "no wildcard in an expression": (r"a|re: 'x[0-9]*'", []),
    "sound": ("a|contains: [foo, bar]", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_advice(advise: Advise, name: str) -> None:
    item, expected = CASES[name]
    found = advise(f"detection:\n  s:\n    {item}\n    b: x\n  condition: s\n")
    assert len(found) == len(expected), found
    for text, wanted in zip(found, expected, strict=True):
        assert wanted in text


def test_each_has_its_own_place(advise: Advise) -> None:
    found = advise(
        "detection:\n  s:\n    - a|contains:\n        - foo\n        - foobar\n      b: x\n"
        "    - c: ['*']\n  condition: s\n"
    )
    assert [text.partition(": ")[0] for text in found] == ["5:11", "7:11"]

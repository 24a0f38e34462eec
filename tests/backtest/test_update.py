"""Counts written back: numbers change, everything else stays to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.backtest.corpus import read
from kr_secops.backtest.update import update
from kr_secops.errors import KrSecopsError
from tests.backtest.conftest import outcome

if TYPE_CHECKING:
    from kr_secops.backtest.run import Runner
    from tests.backtest.conftest import Make

ROOT = '"5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b11": 1  # Root came in\n'
TWO = '"5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b13": 2  # Two failures\n'
HEAD = "# kept\ninputs:\n  - auth.log  # kept\n"

CASES = {
    "a number": ("expect:\n    Root came in: 7   # é\n", "expect:\n    Root came in: 1   # é\n"),
    "a range that holds not": ("expect: {failed: {min: 9}}\n", "expect: {failed: 2}\n"),
    "a range that holds": ("expect: {failed: {min: 1}}\n", None),
    "rules that were not named": (
        "expect:\n   failed: 2  # two\n   # end\nothers: none\n",
        f"expect:\n   failed: 2  # two\n   {ROOT}   {TWO}   # end\nothers: none\n",
    ),
    "no rule was named": ("others: none\n", f"expect:\n  {ROOT}  {TWO}others: none\n"),
    "nothing is expected": (
        "expect: {}\nothers: none\n",
        f"expect: \n  {ROOT}  {TWO}others: none\n",
    ),
    "the last line has no end": (
        "others: none\nexpect:\n  Root came in: 4",
        f"others: none\nexpect:\n  Root came in: 1\n  {TWO}"[:-1],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_update(make: Make, runner: Runner, name: str) -> None:
    before, after = CASES[name]
    path = make(HEAD + before)
    path.chmod(0o640)
    update(path, list(runner.run(read(path))))
    assert path.read_text() == HEAD + (after or before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert all(not problem for _, _, problem in outcome(runner, read(path)))
    assert [p.name for p in path.parent.iterdir() if p.name.endswith(".part")] == []


def test_what_has_no_place_is_said(make: Make, runner: Runner) -> None:
    text = "{inputs: [auth.log], others: none}\n"
    path = make(text)
    with pytest.raises(KrSecopsError, match="on lines of their own first"):
        update(path, list(runner.run(read(path))))
    assert path.read_text() == text

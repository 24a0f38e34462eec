"""Running trials: counts of events, correlations included, and the quiet baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.backtest.corpus import read
from kr_secops.errors import ContentError
from tests.backtest.conftest import outcome

if TYPE_CHECKING:
    from kr_secops.backtest.run import Runner
    from tests.backtest.conftest import Make

INPUT = "inputs: [{path: auth.log, year: 2026, zone: Asia/Jakarta}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expect: {Root came in: 1, Two failures: 2}\n", [1, 2]),
        ("expect: {5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b11: {min: 1}, failed: {max: 2}}\n", [1, 2]),
        ("expect: {Root came in: 1, Two failures: 2}\nothers: none\n", [1, 2, 0]),
    ],
)
def test_all_as_expected(make: Make, runner: Runner, text: str, expected: list[int]) -> None:
    found = outcome(runner, read(make(INPUT + text)))
    assert [(count, problem) for _, count, problem in found] == [(n, "") for n in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expect: {Root came in: 0}\n", [("Root came in", 1, "1 events, not 0")]),
        ("expect: {failed: {min: 3, max: 4}}\n", [("Login failed", 2, "2 events, not 3 to 4")]),
        (
            "others: none\n",  # what only feeds a correlation is no finding
            [("Root came in", 1, "1 events, not 0"), ("Two failures", 2, "2 events, not 0")],
        ),
    ],
)
def test_differences(
    make: Make, runner: Runner, text: str, expected: list[tuple[str, int, str]]
) -> None:
    assert outcome(runner, read(make(INPUT + text))) == expected


def test_trials_do_not_remember_each_other(make: Make, runner: Runner) -> None:
    trials = read(make(INPUT + "expect: {Two failures: 2}\n"))
    assert outcome(runner, trials * 3) == [("Two failures", 2, "")] * 3


def test_time_is_shared_by_the_cases_of_a_trial(make: Make, runner: Runner) -> None:
    trials = read(make(INPUT + "expect: {Root came in: 1, failed: 2}\n"))
    assert [result.seconds for result in runner.run(trials)] == [0.5, 0.5]


def test_an_input_that_is_no_log(make: Make, runner: Runner) -> None:
    path = make("inputs: [auth.log, picture]\nexpect: {Root came in: 1}\n")
    (path.parent / "picture").write_bytes(b"\x00\x01\x02" * 900)
    (result,) = runner.run(read(path))
    assert result.broken
    assert "picture was not read: " in result.problem


def test_an_unknown_rule_makes_the_file_invalid(make: Make, runner: Runner) -> None:
    path = make(INPUT + "expect:\n  Root cane in: 1\n")
    with pytest.raises(ContentError) as caught:
        runner.ensure_known(read(path))
    assert str(caught.value) == (
        f"{path}:3:3: Root cane in: no rule has this id, name or title "
        "(did you mean 'Root came in'?); --rules names where rules lie"
    )

"""Backtest files: what they mean, and every mistake of theirs with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.backtest.corpus import find, read
from kr_secops.errors import ContentError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backtest.conftest import Make

WHOLE = """\
inputs:
  - auth.log
  - {path: auth.log, collector: sshd, host: a, zone: Asia/Jakarta, year: 2026}
expect:
  one: 3
  two: {min: 1}
  three: {max: 4}
others: none
"""


def test_a_whole_file(make: Make) -> None:
    path = make(WHOLE)
    (trial,) = read(path)
    assert [one.path for one in trial.inputs] == [path.parent / "auth.log"] * 2
    assert trial.inputs[1].zone == "Asia/Jakarta"
    assert [str(one) for one in trial.expected] == ["3", "at least 1", "0 to 4"]
    assert trial.expected[1].place == f"{path}:6:3"
    assert trial.others == f"{path}:8:1"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1: inputs: is missing"),
        ("- a\n", "1:1: a backtest has inputs and expect"),
        ("expect: {a: 1}\n", "1:1: inputs: is missing"),
        ("inputs: []\n", "1:1: inputs: list should have at least 1 item"),
        ("inputs: [none.log]\n", "1:10: inputs: there is no "),
        (
            "inputs: [auth.log]\nexepct: {a: 1}\n",
            "2:1: exepct: unknown key (did you mean 'expect'?)",
        ),
        (
            "inputs: [auth.log]\nexpect:\n  a: -1\n",
            "3:3: a: input should be greater than or equal to 0",
        ),
        ("inputs: [auth.log]\nexpect:\n  a: {min: 3, max: 2}\n", "3:3: a: min is larger than max"),
        ("inputs: [5]\n", "1:10: inputs: input should be a valid string"),
        ("inputs: [{collector: a}]\n", "1:10: path: is missing"),
        ("inputs: [auth.log]\nexpect:\n  a: {}\n", "a range has min, max or both"),
        ("inputs: [auth.log]\nothers: some\n", "2:1: others: 'some' is not known"),
        (
            "inputs: [{path: auth.log, zone: Mars/Base}]\n",
            "'Mars/Base' is no time zone; for example Asia/Jakarta",
        ),
    ],
)
def test_mistakes(make: Make, text: str, complaint: str) -> None:
    path = make(text)
    with pytest.raises(ContentError) as caught:
        read(path)
    assert any(complaint in line for line in caught.value.complaints), caught.value.complaints
    assert all(line.startswith(f"{path}:") for line in caught.value.complaints)


def test_a_folder_names_the_mistakes_of_all_its_files(make: Make) -> None:
    first = make("inputs: []\n")
    other = first.parent / "deeper" / "backtest.yml"
    other.parent.mkdir()
    other.write_text("inputs: [nothing]\n")
    with pytest.raises(ContentError) as caught:
        find([first.parent])
    assert {line.partition(".yml:")[0] for line in caught.value.complaints} == {
        str(first)[:-4],
        str(other)[:-4],
    }


def test_a_folder_without_any(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no backtest\.yml and no info\.yml"):
        find([tmp_path])

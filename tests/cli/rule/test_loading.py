"""Which rule a word means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

RULE = """\
title: {title}
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f{number}
logsource: {{product: {product}}}
detection: {{s: {{user.name: root}}, condition: s}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    for number, (name, title, product) in enumerate(
        [("one", "First", "linux"), ("two", "Second", "linux"), ("sky", "Third", "aws")], 10
    ):
        text = RULE.format(title=title, number=number, product=product)
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "word", ["First", "one", "one.yml", "9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10"]
)
def test_a_rule_by_a_word(rules: Path, run: Run, word: str) -> None:
    ran = run("rule", "show", word, "--rules", rules)
    assert ran.code == 0
    assert b"0f10" in ran.out


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Frist", "no rule is called 'Frist' (did you mean 'First'?)"),
        ("", "no rule is called ''"),
        ("9f3a6f0e", "'9f3a6f0e' may mean several rules: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f"),
    ],
)
def test_a_word_that_means_none_or_many(rules: Path, run: Run, word: str, said: str) -> None:
    ran = run("rule", "show", word, "--rules", rules)
    assert ran.code == 2
    assert said in ran.err


def test_a_rule_about_logs_that_are_not_read_is_no_correlation(rules: Path, run: Run) -> None:
    ran = run("rule", "explain", "Third", rules / "one.yml", "--rules", rules)
    assert ran.code == 2
    assert ran.err.startswith("'Third': ")
    assert "correlation" not in ran.err

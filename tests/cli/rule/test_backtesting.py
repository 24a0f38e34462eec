"""``rule backtest`` as a user or a build server runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.backtest.conftest import LOG, RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yml").write_text(RULES)
    (tmp_path / "auth.log").write_text(LOG)
    path = tmp_path / "backtest.yml"
    path.write_text("inputs: [auth.log]\nexpect:\n  Root came in: 1\n  failed: 3\n")
    return path


def test_exit_codes_and_update(run: Run, corpus: Path) -> None:
    words = ("rule", "backtest", corpus.parent, "--rules", corpus.parent / "rules")
    ran = run(*words)
    assert (ran.code, ran.out.decode()) == (
        1,
        f"{corpus}:4:3: Login failed: 2 events, not 3\n",
    )
    assert "2 expectations, 1 do not hold" in ran.err
    assert run(*words, "--update").code == 0
    assert run(*words).code == 0
    corpus.write_text("inputs: [auth.log]\nexpect: {Root cane in: 1}\n")
    invalid = run(*words)
    assert (invalid.code, invalid.out) == (3, b"")
    assert f"{corpus}:2:10: Root cane in: no rule has" in invalid.err


def test_formats(run: Run, corpus: Path, tmp_path: Path) -> None:
    words = ("rule", "backtest", corpus, "--rules", corpus.parent / "rules")
    rows = run(*words, "-f", "ndjson").rows()
    assert [(row["rule"], row["found"]) for row in rows] == [
        ("Root came in", 1),
        ("Login failed", 2),
    ]
    target = tmp_path / "junit.xml"
    assert run(*words, "-f", "junit", "-o", target).code == 1
    assert ET.parse(target).getroot().get("failures") == "1"
    assert run(*words, "-f", "html").code == 2


def test_update_leaves_sigmahq_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "info.yml").write_text(
        "rule_metadata: [{id: a}]\nregression_tests_info: [{type: json, path: x.json}]\n"
    )
    ran = run("rule", "backtest", tmp_path, "--update")
    assert ran.code == 2
    assert "is SigmaHQ's" in ran.err

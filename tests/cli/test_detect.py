"""``detect``: what its switches change, and what they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.conftest import ESTATE

if TYPE_CHECKING:
    from tests.cli.conftest import Run

LOGS = ESTATE / "web-izin" / "var" / "log"


def test_a_full_scan_finds_the_same(run: Run) -> None:
    words = ("detect", LOGS / "auth.log", "--matches", "--year", "2026")
    quick = run(*words).rows()
    slow = run(*words, "--full-scan").rows()
    assert quick
    assert sorted(map(str, quick)) == sorted(map(str, slow))


def test_matches_are_ndjson_and_nothing_else(run: Run) -> None:
    ran = run("detect", LOGS / "auth.log", "--matches", "-f", "csv")
    assert (ran.code, ran.out) == (2, b"")
    assert run("detect", LOGS / "auth.log", "--matches", "-f", "ndjson").code == 0

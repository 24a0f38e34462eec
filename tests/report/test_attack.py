"""Tags become techniques under tactics, whatever a rule names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kr_secops.report.attack import TACTICS, known, techniques, uses

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.report.interface import Report


def test_the_table_is_sound() -> None:
    for technique, (tactics, name) in known().items():
        assert name, technique
        assert set(tactics) <= set(TACTICS) - {""}, technique


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], []),
        (["attack.credential-access"], []),
        (
            ["attack.t1110.001"],
            [("credential-access", "T1110.001", "Brute Force: Password Guessing")],
        ),
        (["attack.T1110", "attack.t1110"], [("credential-access", "T1110", "Brute Force")]),
        (
            ["attack.t1078", "attack.persistence", "attack.initial_access"],
            [
                ("initial-access", "T1078", "Valid Accounts"),
                ("persistence", "T1078", "Valid Accounts"),
            ],
        ),
        (
            ["attack.t1190", "attack.impact"],
            [("initial-access", "T1190", "Exploit Public-Facing Application")],
        ),
        (["attack.t9999", "attack.impact"], [("impact", "T9999", "")]),
        (["attack.t9999"], [("", "T9999", "")]),
        (["attack.t1110.0011", "cve.2026.1"], []),
    ],
)
def test_uses(
    tags: list[str], expected: list[tuple[str, str, str]], sample: Callable[..., Report]
) -> None:
    finding = replace(sample().findings[0], tags=tuple(tags))
    found = uses([finding, finding])
    assert [(u.tactic, u.technique, u.name) for u in found] == expected
    assert all((u.findings, u.events) == (2, 2 * finding.count) for u in found)
    assert len(set(techniques(finding))) == len(techniques(finding))

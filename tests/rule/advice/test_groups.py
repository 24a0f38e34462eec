"""Correlations by a field that the counted events never have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.rule.lint import Surroundings, check
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from pathlib import Path

SSH = {"sshd": frozenset({"source.ip"})}
RULES = """\
title: failed
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10
name: failed
taxonomy: ecs
logsource: {{product: linux, service: sshd}}
detection: {{s: {{event.action: ssh_login}}, condition: s}}
---
title: many
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f11
correlation:
  type: event_count
  rules: [failed]
  group-by: [{field}]
  timespan: 5m
  condition: {{gte: 2}}
"""


@pytest.mark.parametrize(
    ("field", "produced", "expected"),
    [
        ("source.ip", SSH, []),
        (
            "source.ipp",
            SSH,
            ["8:1: group-by: source.ipp: no event for 'failed' has it (did you mean 'source.ip'?)"],
        ),
        ("url.path", {"sshd": None}, []),  # its collector does not say
        ("url.path", {}, []),
    ],
)
def test_advice(
    tmp_path: Path, field: str, produced: dict[str, frozenset[str] | None], expected: list[str]
) -> None:
    path = tmp_path / "r.yml"
    path.write_text(RULES.format(field=field))
    around = Surroundings(load([tmp_path], cache_dir=tmp_path / "c"), produced=produced)
    found = [str(remark).removeprefix(f"{path}:") for remark in check([path], around)]
    assert [text for text in found if "group-by" in text] == expected

"""Rules about three log lines, and backtest files about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from kr_secops.backtest.run import Runner
from kr_secops.privacy.mask import Guard
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.backtest.trial import Trial

RULES = """\
title: Root came in
id: 5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b11
taxonomy: ecs
level: high
logsource: {product: linux, service: sshd}
detection:
  s: {event.action: ssh_login, event.outcome: success, user.name: root}
  condition: s
---
title: Login failed
id: 5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b12
name: failed
taxonomy: ecs
level: informational
logsource: {product: linux, service: sshd}
detection:
  s: {event.action: ssh_login, event.outcome: failure}
  condition: s
---
title: Two failures
id: 5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b13
level: medium
correlation:
  type: event_count
  rules: [failed]
  group-by: [source.ip]
  timespan: 5m
  condition: {gte: 2}
"""
LOG = """\
Nov 17 09:14:01 web-izin sshd[2203]: Failed password for root from 203.0.113.66 port 51230 ssh2
Nov 17 09:14:02 web-izin sshd[2203]: Failed password for root from 203.0.113.66 port 51231 ssh2
Nov 17 09:14:03 web-izin sshd[2203]: Accepted password for root from 203.0.113.66 port 51234 ssh2
"""


class Make(Protocol):
    def __call__(self, text: str) -> Path: ...


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a backtest file beside the log."""

    def write(text: str) -> Path:
        (tmp_path / "auth.log").write_text(LOG)
        path = tmp_path / "backtest.yml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "r.yml").write_text(RULES)
    return folder


@pytest.fixture
def runner(rules: Path, tmp_path: Path) -> Runner:
    ruleset = load([rules], cache_dir=rules.parent / "compiled")
    ticks = iter(range(10**6))
    return Runner(ruleset, Guard(b"key"), tmp_path / "compiled", clock=lambda: next(ticks))


def outcome(runner: Runner, trials: list[Trial]) -> list[tuple[str, int, str]]:
    return [(r.rule, r.found, r.problem) for r in runner.run(trials)]

"""Every collector has cases beside it, and they pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.collect.catalog import load
from kr_secops.collect.selftest import cases_of, check_cases
from kr_secops.content import shipped
from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(
    path
    for path in shipped("collectors").glob("*.yml")
    if load()[path.stem].description.format
    != "capture"  # no text; tests/collect/network reads some
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cases_pass(path: Path) -> None:
    assert check_cases(cases_of(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_pattern_has_a_case(path: Path) -> None:
    """A pattern that no case needs may be wrong without anyone noticing."""
    collector = load()[path.stem]
    text = cases_of(path).read_text("utf-8") if cases_of(path).exists() else ""
    actions = {
        kind.constants["event.action"]
        for kind in collector.kinds()
        if "event.action" in kind.constants
    }
    assert {action for action in actions if f"event.action: {action}" not in text} == set()


@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        ("expect: [{event.action: nonsense}]", "4:13: event.action: is 'cron_command'"),
        ("expect: [{event.reason: null}, {}]", "4:3: expect: 1 events came"),
        ("rejected: 1", "4:3: rejected: 0 lines were rejected: none"),
        ("expect: [{user.name: null}]", "4:13: user.name: is 'root'"),
    ],
)
def test_a_case_can_fail(tmp_path: Path, case: str, complaint: str) -> None:
    path = tmp_path / "x.test.yaml"
    line = "'Nov 17 09:14:02 web-izin CRON[1]: (root) CMD (true)'"
    path.write_text(f"- name: x\n  lines:\n    - {line}\n  {case}\n")
    assert any(problem == f"{path}:{complaint}" for problem in check_cases(path)), check_cases(path)


def test_the_example_of_the_manual_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manual = (shipped("collectors") / "README.md").read_text("utf-8")
    collector, cases = (part.split("```")[0] for part in manual.split("```yaml\n")[1:])
    path = tmp_path / "backup.test.yaml"
    path.write_text(cases, "utf-8")
    put_own_collector(tmp_path / "good", collector, monkeypatch)
    assert check_cases(path) == []
    put_own_collector(tmp_path / "bad", collector.replace("file.path", "file.pth"), monkeypatch)
    with pytest.raises(ContentError, match=r"backup.yml:9:5: match: .*did you mean 'file.path'"):
        load()


def put_own_collector(home: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "kr-secops" / "collectors"
    folder.mkdir(parents=True)
    (folder / "backup.yml").write_text(text, "utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))

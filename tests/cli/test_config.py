"""``config show`` and ``config check``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.fixture
def own_file() -> Path:
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "kr-secops" / "config.yml"
    path.parent.mkdir(parents=True)
    return path


def test_show_says_where_each_value_comes_from(run: Run, own_file: Path) -> None:
    own_file.write_text("agency: Diskominfo\n")
    lines = run("config", "show", "--origin").out.decode().splitlines()
    assert f"agency: Diskominfo  # {own_file}:1:1" in lines
    assert "language: id  # default" in lines
    state = os.environ["KR_SECOPS_STATE_DIR"]
    assert f"state_dir: {state}  # environment KR_SECOPS_STATE_DIR" in lines


def test_check_finds_every_mistake(run: Run, own_file: Path) -> None:
    own_file.write_text("agancy: x\nzone: nowhere\n")
    ran = run("config", "check")
    assert ran.code == 3
    assert f"{own_file}:1:1: agancy: unknown key (did you mean 'agency'?)" in ran.err
    assert f"{own_file}:2:1: zone: 'nowhere' is no time zone" in ran.err


def test_check_names_the_files_that_are_right(run: Run, own_file: Path) -> None:
    own_file.write_text("agency: x\n")
    ran = run("config", "check")
    assert (ran.code, ran.err) == (0, f"{own_file}\n1 settings files are valid.\n")

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_kill_anywhere_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    script = Path(__file__).with_name("crash.py")
    command = [sys.executable, script, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100, "the steps of a run must have been seen"

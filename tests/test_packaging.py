"""The wheel carries everything that runs, and nothing that only tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["rules", "collectors"])
def test_content_is_shipped(names: set[str], folder: str) -> None:
    wanted = {
        f"kr_secops/content/{path.relative_to(ROOT)}" for path in (ROOT / folder).rglob("*.yml")
    }
    assert wanted
    assert wanted - names == set()


@pytest.mark.slow
def test_code_and_its_tables_are_shipped(names: set[str]) -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "kr_secops").rglob("*")
        if path.is_file() and path.suffix in {".py", ".json", ".tsv", ".txt", ".j2", ".css", ".js"}
    }
    assert wanted - names == set()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]

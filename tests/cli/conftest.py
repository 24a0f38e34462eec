"""Commands as a user runs them: in this process, or as processes of a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pytest

from kr_secops.cli import console
from kr_secops.cli.app import main
from kr_secops.collect import catalog
from kr_secops.privacy.mask import Guard
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ESTATE = Path(__file__).parents[1] / "estate"
KR_SECOPS = [sys.executable, "-m", "kr_secops"]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said."""

    code: int
    out: bytes
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """The NDJSON rows on stdout."""
        return [orjson.loads(line) for line in self.out.splitlines()]


class Run(Protocol):
    def __call__(self, *words: str | Path, stdin: bytes | None = None) -> Ran: ...


@pytest.fixture(scope="session")
def shipped(compiled: Path) -> Path:
    """What a first run makes of the shipped rules, identifiers and collectors."""
    folder = compiled / "shipped"
    folder.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "none"))
        load(None, (), cache_dir=folder, skip_invalid=True)
        catalog.load(folder)
        Guard(b"k" * 32, cache_dir=folder)
    return folder


@pytest.fixture
def not_the_first_run(shipped: Path) -> Callable[[Path], None]:
    """Give a state folder what a run before has compiled, which takes longer than most tests."""

    def warm(state: Path) -> None:
        cache = state / "cache"
        cache.mkdir(mode=0o700, parents=True)
        for path in shipped.glob("[!.]*"):
            os.link(path, cache / path.name)

    return warm


@pytest.fixture(autouse=True)
def _warm_state(not_the_first_run: Callable[[Path], None], _own_state: None) -> None:
    not_the_first_run(Path(os.environ["KR_SECOPS_STATE_DIR"]))


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command; with ``stdin`` as a process of its own."""

    def start(*words: str | Path, stdin: bytes | None = None) -> Ran:
        texts: Sequence[str] = [str(word) for word in words]
        if stdin is not None:
            done = subprocess.run(
                [*KR_SECOPS, *texts], input=stdin, capture_output=True, check=False
            )
            return Ran(done.returncode, done.stdout, done.stderr.decode())
        capfdbinary.readouterr()
        console.set_quiet(False)  # a process begins so
        code = main(list(texts))
        out, err = capfdbinary.readouterr()
        return Ran(code, out, err.decode())

    return start

"""Commands as a user runs them: in this process, or as processes of a pipe."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pytest

from kr_secops.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        code = main(list(texts))
        out, err = capfdbinary.readouterr()
        return Ran(code, out, err.decode())

    return start

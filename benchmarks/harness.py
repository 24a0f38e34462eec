"""Times whole processes in turn and prints CPU seconds, ratios and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KR_SECOPS = [sys.executable, "-m", "kr_secops"]
RUNS = 5


@dataclass(frozen=True, slots=True)
class Contender:
    """A command to be timed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    fresh_state: bool = False
    """Start each run with an empty state folder (it is given one of its own either way)."""
    count: Callable[[Path], int] | None = None
    """Counts the results in what the unmeasured run wrote to its standard output."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contender's runs cost."""

    name: str
    cpu: tuple[float, ...]
    """CPU seconds of each run: user + system, children included."""
    peak: float
    """Largest resident size of one process, MiB."""
    results: int | None = None

    @property
    def median(self) -> float:
        """The median of the CPU seconds."""
        return statistics.median(self.cpu)


def once(contender: Contender, state: Path, output: Path = Path(os.devnull)) -> tuple[float, float]:
    """Run it once; return CPU seconds and peak MiB. An exit code of 11 to 14 is a success."""
    # An installed program is compiled and buffers; what a developer sets must not change that.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment = inherited | {"KR_SECOPS_STATE_DIR": str(state), **(contender.environment or {})}
    with output.open("wb") as stream:
        process = subprocess.Popen(
            contender.command, stdout=stream, stderr=subprocess.PIPE, env=environment
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 11, 12, 13, 14):
        raise SystemExit(f"{contender.name}: exit {process.returncode}: {said.decode()[-500:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(contenders: Sequence[Contender], runs: int = RUNS) -> list[Figure]:
    """Run all in turn, once unmeasured and then *runs* times; return a figure each."""
    cpu: dict[str, list[float]] = {c.name: [] for c in contenders}
    peak: dict[str, float] = dict.fromkeys(cpu, 0.0)
    results: dict[str, int | None] = dict.fromkeys(cpu)
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(runs + 1):
            for i, contender in enumerate(contenders):
                state = Path(folder) / (f"{i}-{turn}" if contender.fresh_state else str(i))
                if turn:
                    seconds, size = once(contender, state)
                    cpu[contender.name].append(seconds)
                    peak[contender.name] = max(peak[contender.name], size)
                    continue
                output = Path(folder) / "output"
                once(contender, state, output)
                results[contender.name] = contender.count(output) if contender.count else None
    return [Figure(name, tuple(cpu[name]), peak[name], results[name]) for name in cpu]


def show(
    figures: Sequence[Figure], units: Mapping[str, float] | None = None, word: str = ""
) -> None:
    """Print a row a figure; ratios are against the last one, *units* a run give a rate."""
    base = figures[-1]
    for figure in figures:
        low, high = min(figure.cpu), max(figure.cpu)
        rate = ""
        if units and figure.name in units:
            rate = f"  {units[figure.name] / (figure.median or 1e-9):>12,.0f} {word}/CPU s"
        if figure.results is not None:
            rate += f"  {figure.results:>9,} results"
        print(
            f"{figure.name:<44} {figure.median:7.3f} CPU s ({low:.3f}-{high:.3f})"
            f"  x{figure.median / (base.median or 1e-9):6.2f}"
            f"  {figure.peak:6.0f} MiB x{figure.peak / base.peak:5.2f}{rate}",
            flush=True,
        )


CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kr-secops-benchmarks"


def cached(name: str, make: Callable[[Path], object]) -> Path:
    """Return the file or folder *name* of the cache folder; *make* is called once to make it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / name
    if not path.exists():
        part = path.with_name(f"{name}.part")
        make(part)
        part.rename(path)
    return path


def generated(kind: str, lines: int) -> Path:
    """Return a generated log of *lines* lines."""

    def make(path: Path) -> None:
        generator = Path(__file__).with_name("generate.py")
        subprocess.run([sys.executable, str(generator), kind, str(lines), str(path)], check=True)

    return cached(f"{kind}-{lines}.log", make)

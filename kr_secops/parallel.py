"""Shares out sources among worker processes; what comes of them comes in the order of the sources.

for line in matches(sources, run, jobs, render): ...   # as pipeline.matches, rendered
found = detect(sources, run, jobs)                     # as pipeline.detect

Workers only read, match and mask; what spans sources (findings, correlations) is made here, of the
events that some rule matches, so the result is that of one process, byte for byte.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops import pipeline
from kr_secops.collect.reading import read_source
from kr_secops.errors import UsageError
from kr_secops.language import tr
from kr_secops.pipeline import Account
from kr_secops.workers import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kr_secops.collect.reading import Choice, Found, Item, Options
    from kr_secops.detect.engine import Engine, Match
    from kr_secops.event import Event
    from kr_secops.finding import Finding
    from kr_secops.privacy.mask import Guard

WORTH: Final = 16 << 20
"""Bytes beside the largest file from which on workers save more time than they take to start."""
PORTION: Final = 1 << 18
"""Bytes after which a worker hands over what it has."""

Step: TypeAlias = "tuple[list[Event], bool] | Account"
"""Events that rules match and whether their block ends here; at the end of a source its account."""


@dataclass(frozen=True, slots=True)
class Run:
    """What every process of a run has."""

    options: Options
    choice: Choice
    guard: Guard
    engine: Engine
    account: Account

    def items(self, sources: Iterable[Found]) -> Iterator[Item]:
        """Yield what is read of *sources*."""
        for source in sources:
            yield from read_source(source, self.choice, self.options)

    def stations(self) -> tuple[Guard, Engine, Account]:
        """Return what the functions of `kr_secops.pipeline` ask for, in their order."""
        return self.guard, self.engine, self.account


def processes(asked: str, sources: Sequence[Found]) -> int:
    """Return how many workers *sources* are worth; 1 means none.

    Args:
        asked: a number, or ``auto`` for one a processor.
        sources: what is to be read.

    Raises:
        UsageError: *asked* is neither.
    """
    if asked == "auto":
        jobs = len(os.sched_getaffinity(0))
    elif asked.isdecimal() and 0 < int(asked) <= 1024:  # noqa: PLR2004
        jobs = int(asked)
    else:
        raise UsageError(tr("--jobs takes a number or auto"))
    sizes = sorted(_size(source) for source in sources if isinstance(source, Path))
    # A fork of a process with threads may inherit a lock that nobody opens any more.
    alone = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    if jobs == 1 or not alone or sum(sizes[:-1]) < WORTH:
        return 1
    return min(jobs, len(sizes))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def matches(
    sources: Sequence[Found], run: Run, jobs: int, render: Callable[[Match], bytes]
) -> Iterator[bytes]:
    """Yield the matches of *sources* as *render* writes them, several at once."""
    if jobs == 1:
        yield from map(render, pipeline.matches(run.items(sources), *run.stations()))
        return

    def work(source: Found) -> Iterator[bytes | Account]:
        account, lines = Account(), bytearray()
        items = read_source(source, run.choice, run.options)
        for match in pipeline.matches(items, run.guard, run.engine, account):
            lines += render(match)
            if len(lines) >= PORTION:
                yield bytes(lines)
                lines.clear()
        yield bytes(lines)
        yield account

    for part in in_order(sources, work, jobs, _is_shared):
        if isinstance(part, Account):
            run.account.add(part)
        else:
            yield part


def detect(sources: Sequence[Found], run: Run, jobs: int) -> list[Finding]:
    """Return the findings of *sources*."""
    if jobs == 1:
        return pipeline.detect(run.items(sources), *run.stations())

    def work(source: Found) -> Iterator[Step]:
        account = Account()
        for item in read_source(source, run.choice, run.options):
            yield from _matched(item, run, account)
        yield account

    def steps() -> Iterator[None]:
        for part in in_order(sources, work, jobs, _is_shared):
            if isinstance(part, Account):
                run.account.add(part)
                continue
            for event in part[0]:
                run.engine.feed(event)
            if part[1]:
                yield

    return pipeline.conclude(steps(), run.engine)


def _matched(item: Item, run: Run, account: Account) -> Iterator[Step]:
    """Yield the events of *item* that rules match; nothing where there are none."""
    portion: list[Event] = []
    size = 0
    for event in pipeline.matchable(item, run.guard, run.engine, account):
        if run.engine.touches(event):
            if size >= PORTION:
                yield portion, False
                portion, size = [], 0
            portion.append(event)
            size += 1024 + len(event.get("event.original", ""))
    if portion:
        yield portion, True


def _is_shared(source: Found) -> bool:
    """Return whether a worker can read *source*: standard input and the journal are read here."""
    return isinstance(source, Path)

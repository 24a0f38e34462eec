"""Worker processes: order, bounds, and what happens when one dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr_secops import workers
from kr_secops.workers import WorkerError, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

# pytest-xdist has threads of its own; what is forked here never touches their locks.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def parts(unit: tuple[int, list[int]]) -> Iterator[bytes]:
    number, sizes = unit
    for i, size in enumerate(sizes):
        yield f"{number} {i} ".encode() + b"x" * size


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(0, 200_000), max_size=5), max_size=12),
    jobs=st.integers(1, 4),
    here=st.integers(0, 3),
)
def test_the_order_is_that_of_the_units(sizes: list[list[int]], jobs: int, here: int) -> None:
    units = list(enumerate(sizes))
    expected = [part for unit in units for part in parts(unit)]
    found = in_order(units, parts, jobs, lambda unit: unit[0] % 4 != here)
    assert list(found) == expected


def test_work_is_done_elsewhere_and_the_rest_here() -> None:
    def work(unit: str) -> Iterator[tuple[str, int]]:
        yield unit, os.getpid()

    found = dict(in_order(["a", "-", "b"], work, 2, lambda unit: unit != "-"))
    assert found["-"] == os.getpid()
    assert os.getpid() not in {found["a"], found["b"]}


def test_a_worker_does_not_run_ahead_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "AHEAD", 1 << 20)
    monkeypatch.setattr(workers, "PIPE", 1 << 16)
    made = multiprocessing.get_context("fork").Value("L", 0)

    def work(unit: int) -> Iterator[bytes]:
        if unit == 0:
            time.sleep(0.5)
            yield made.value.to_bytes(8, "little")
            return
        for _ in range(100):
            made.value += 1
            yield b"x" * (1 << 17)

    found = in_order([0, 1], work, 2)
    ahead = int.from_bytes(next(found), "little")
    # As many as are kept, one in the pipe, one in the making, one that went over.
    assert 1 <= ahead <= 8 + 3
    assert len(list(found)) == 100


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_dies_stops_the_run_and_is_named(number: int) -> None:
    def work(unit: str) -> Iterator[str]:
        if unit == "/var/log/poison":
            os.kill(os.getpid(), number)
        yield unit

    with pytest.raises(WorkerError) as caught:
        list(in_order(["/var/log/a", "/var/log/poison", "/var/log/b"], work, 2))
    assert str(caught.value).startswith("/var/log/poison: ")
    assert signal.Signals(number).name in str(caught.value)
    assert caught.value.exit_code == 1


def test_what_goes_wrong_there_is_told_here_after_what_came_before() -> None:
    def work(unit: int) -> Iterator[int]:
        yield unit
        if unit == 2:
            raise ValueError("no good")

    found: list[Any] = []
    with pytest.raises(WorkerError, match=r"^2: ValueError: no good$"):
        found.extend(in_order([0, 1, 2, 3], work, 3))
    assert found == [0, 1, 2]


def test_whoever_has_enough_leaves_no_process_behind() -> None:
    def work(unit: int) -> Iterator[int]:
        while True:
            yield unit

    found = in_order([1, 2, 3], work, 3)
    assert next(found) == 1
    children = multiprocessing.active_children()
    assert len(children) == 3
    found.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_workers_end_when_nobody_reads_them_any_more() -> None:
    """The parent is killed: it cannot tell anybody."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:

        def work(unit: int) -> Iterator[int]:
            os.write(writer, os.getpid().to_bytes(8, "little"))
            while True:
                yield unit

        next(in_order([1, 2], work, 2))
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writer)
    os.waitpid(child, 0)
    # Only processes that hold the other end keep this from ending.
    with os.fdopen(reader, "rb") as pipe:
        assert len(pipe.read()) == 16

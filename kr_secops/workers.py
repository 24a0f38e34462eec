"""Worker processes that take units one after the other; what they make comes in the units' order.

    for part in in_order(units, work, jobs, is_shared): ...

Workers are forks, so that what is loaded already, rules above all, is there at once and lies in
memory once. Each takes the next unit when it has done one, and waits when what it has made and
nobody has asked for yet reaches `AHEAD` bytes.
"""

from __future__ import annotations

import fcntl
import gc
import multiprocessing
import pickle
import signal
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kr_secops.errors import KrSecopsError
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import ForkProcess

Unit = TypeVar("Unit")
Part = TypeVar("Part")

AHEAD: Final = 16 << 20
"""Bytes that are kept of one worker before it has to wait."""
PIPE: Final = 1 << 20
"""Bytes that lie in a pipe, as far as the system allows."""
PATIENCE: Final = 5.0
"""Seconds that a process has to end in when told to."""

_HEAD: Final = struct.Struct("<IB")
_BEGIN, _PART, _END, _FAILED, _BYE = range(5)


class WorkerError(KrSecopsError):
    """A worker process ended before its work did."""


@dataclass(slots=True)
class _Worker:
    process: ForkProcess
    pipe: Connection
    waiting: deque[tuple[int, int, bytes]] = field(default_factory=deque)
    """Place of the unit, kind and content of what was received and is not asked for yet."""
    size: int = 0
    at: int | None = None
    """Place of the unit that it begins or goes on with."""
    done: bool = False

    def receive(self) -> None:
        """Take one message; EOFError or OSError if the process is no more."""
        message = self.pipe.recv_bytes()
        place, kind = _HEAD.unpack_from(message)
        if kind == _BYE:
            self.done = True
        elif kind == _BEGIN:
            self.at = place
        else:
            self.waiting.append((place, kind, message[_HEAD.size :]))
            self.size += len(message)

    def take(self) -> tuple[int, bytes]:
        _, kind, content = self.waiting.popleft()
        self.size -= len(content) + _HEAD.size
        return kind, content

    def stop(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        self.process.close()


def in_order(
    units: Sequence[Unit],
    work: Callable[[Unit], Iterator[Part]],
    jobs: int,
    is_shared: Callable[[Unit], bool] = lambda _: True,
) -> Iterator[Part]:
    """Yield what *work* yields of each of *units*, in their order.

    Args:
        units: what is to be done; `str` of one names it when something goes wrong.
        work: makes parts of a unit; they are pickled.
        jobs: number of processes.
        is_shared: says which units a process may do; the others are done here in their turn.

    Raises:
        WorkerError: a process died, or *work* raised there.
    """
    shared = [place for place, unit in enumerate(units) if is_shared(unit)]
    mine = set(range(len(units))).difference(shared)
    workers: list[_Worker] = []
    try:
        # Between a fork and its place in the list, an interrupt would leave a worker behind.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            _start(workers, min(jobs, len(shared)), units, work, shared)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for place, unit in enumerate(units):
            yield from work(unit) if place in mine else _parts(place, workers, units)
    finally:
        for worker in workers:
            worker.stop()


def _start(
    workers: list[_Worker],
    count: int,
    units: Sequence[Unit],
    work: Callable[[Unit], Iterator[Part]],
    shared: Sequence[int],
) -> None:
    context = multiprocessing.get_context("fork")
    taken = context.Value("L", 0)
    for _ in range(count):
        inner, outer = context.Pipe(duplex=False)
        with suppress(OSError):  # the limit of an ordinary user
            fcntl.fcntl(outer, fcntl.F_SETPIPE_SZ, PIPE)
        # An end that a sibling holds open would hide from a worker that nobody reads any more.
        ends = [inner, *(worker.pipe for worker in workers)]
        arguments = (units, work, shared, taken, outer, ends)
        process = context.Process(target=_run, args=arguments, daemon=True)
        process.start()
        outer.close()
        workers.append(_Worker(process, inner))


def _run(
    units: Sequence[Unit],
    work: Callable[[Unit], Iterator[Part]],
    shared: Sequence[int],
    taken: Any,
    pipe: Connection,
    ends: Sequence[Connection],
) -> None:
    """Do units until none is left: the life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # what the parent made is not garbage, and not looked at it stays shared
    for end in ends:
        end.close()
    place = 0
    try:
        while True:
            with taken.get_lock():
                turn = taken.value
                taken.value += 1
            if turn >= len(shared):
                break
            place = shared[turn]
            pipe.send_bytes(_HEAD.pack(place, _BEGIN))
            for part in work(units[place]):
                content = pickle.dumps(part, pickle.HIGHEST_PROTOCOL)
                pipe.send_bytes(_HEAD.pack(place, _PART) + content)
            pipe.send_bytes(_HEAD.pack(place, _END))
        pipe.send_bytes(_HEAD.pack(place, _BYE))
    except BrokenPipeError:  # the parent is gone, or has what it wanted
        return
    except Exception as e:  # noqa: BLE001 (it must be told on the other side)
        reason = f"{type(e).__name__}: {e}" if str(e) else type(e).__name__
        pipe.send_bytes(_HEAD.pack(place, _FAILED) + reason.encode("utf-8", "replace"))
        pipe.send_bytes(_HEAD.pack(place, _BYE))


def _parts(place: int, workers: Sequence[_Worker], units: Sequence[object]) -> Iterator[Any]:
    """Yield the parts of the unit at *place* as they come."""
    while True:
        # Whoever has this unit has nothing older left, so it is read from and can go on.
        holder = next((w for w in workers if w.waiting and w.waiting[0][0] == place), None)
        _receive(workers, units, None if holder is None else 0)
        if holder is None:
            continue
        kind, content = holder.take()
        if kind == _END:
            return
        if kind == _FAILED:
            raise WorkerError(f"{units[place]}: {content.decode('utf-8', 'replace')}")
        yield pickle.loads(content)  # noqa: S301 (of our own process)


def _receive(workers: Sequence[_Worker], units: Sequence[object], timeout: float | None) -> None:
    """Take what workers have sent that are not too far ahead; wait for it up to *timeout*."""
    open_ = {worker.pipe: worker for worker in workers if not worker.done and worker.size < AHEAD}
    assert open_ or timeout is not None, "nobody is left to wait for"
    for pipe in wait(list(open_), timeout):
        assert isinstance(pipe, Connection)
        worker = open_[pipe]
        try:
            worker.receive()
        except (EOFError, OSError):
            worker.process.join(PATIENCE)
            code = worker.process.exitcode
            how = signal.Signals(-code).name if code and code < 0 else str(code)
            at = "" if worker.at is None else str(units[worker.at])
            text = tr("{source}: the process that read it has died ({how})", source=at, how=how)
            raise WorkerError(text) from None

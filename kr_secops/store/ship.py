"""Ships the archive and the findings to a cluster: nothing is lost, nothing is there twice.

What was delivered is kept in the store after every batch, so a killed run goes on there. A batch
sent again meets its own ids, and "already there" (409) counts as delivered. What the cluster will
never take goes to ``dead-letter/elastic.ndjson`` with its reason, and the rest goes on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from kr_secops.errors import KrSecopsError
from kr_secops.event import dumps, event_id
from kr_secops.finding import to_document
from kr_secops.language import tr
from kr_secops.store.archive import Archive, DamagedSegmentError, examine
from kr_secops.store.elastic import BUSY, BusyError, reason
from kr_secops.store.files import append
from kr_secops.store.templates import EVENTS, FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from kr_secops.store.elastic import Cluster
    from kr_secops.store.manifest import Segment
    from kr_secops.store.sqlite import Store

T = TypeVar("T")

DOCUMENTS: Final = 1000
BYTES: Final = 1_000_000
"""A batch holds at most so many documents and bytes, and at least one document; a proxy often
refuses bodies above 1 MiB."""
PAUSES: Final = (1, 2, 4, 8, 16)
"""Seconds between the tries of one batch."""

TOO_LARGE: Final = 413
ALREADY_THERE: Final = 409
FAILED: Final = 400
NEVER: Final = (400, TOO_LARGE)
"""Answers that speak of the document alone; any other one means that nothing would get through."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document on its way."""

    id: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that the cluster will never take."""

    index: str
    document: Document
    status: int
    reason: str


@dataclass(slots=True)
class Shipped:
    """What one run delivered."""

    events: int = 0
    findings: int = 0
    refused: int = 0
    damaged: list[str] = field(default_factory=list)
    """Segments that could not be read to their end; verifying the archive says more."""


def ship(cluster: Cluster, store: Store, sleep: Callable[[float], None] = time.sleep) -> Shipped:
    """Deliver what *cluster* has not got of the archive and the findings; hold ``store.lock("ship")``.

    Raises:
        KrSecopsError: the cluster is not set up, cannot be reached, or stays busy; what was
            delivered until then stays so.
    """
    identity, _ = cluster.identify()
    if missing := cluster.missing_templates():
        raise KrSecopsError(
            tr(
                "{url}: not set up ({names}); run `kr-secops elastic setup` first",
                url=cluster.name,
                names=", ".join(missing),
            )
        )
    shipper = _Shipper(cluster, store, identity, sleep)
    for entry in store.entries():
        shipper.ship_segment(entry.segment)
    shipper.ship_findings()
    return shipper.shipped


class _Shipper:
    def __init__(
        self, cluster: Cluster, store: Store, identity: str, sleep: Callable[[float], None]
    ) -> None:
        self.shipped = Shipped()
        self._cluster, self._store, self._identity, self._sleep = cluster, store, identity, sleep
        self._archive = Archive(store)

    def ship_segment(self, segment: Segment) -> None:
        done = self._store.delivered(self._identity, segment.path)
        if done >= segment.count:
            return
        if examine(self._archive.directory / segment.path, segment):
            # Shipped, a forged event would be believed.
            self.shipped.damaged.append(segment.path)
            return
        index = f"{EVENTS}-{segment.dataset}"
        lines = islice(self._archive.lines(segment), done, None)
        try:
            for batch in _batches(lines, len):
                documents = [Document(event_id(orjson.loads(line)), line) for line in batch]
                refused = self._deliver(index, "create", documents)
                done += len(batch)
                self._record(segment.path, done, refused)
                self.shipped.events += len(batch) - len(refused)
        except (DamagedSegmentError, orjson.JSONDecodeError, AttributeError):
            self.shipped.damaged.append(segment.path)

    def ship_findings(self) -> None:
        while changed := self._store.changed(
            self._store.delivered(self._identity, FINDINGS), DOCUMENTS
        ):
            documents = [
                Document(finding.id, dumps(to_document(finding))) for _, finding in changed
            ]
            refused: list[Refused] = []
            for batch in _batches(documents, lambda one: len(one.line)):
                refused += self._deliver(FINDINGS, "index", batch)
            self._record(FINDINGS, changed[-1][0], refused)
            self.shipped.findings += len(documents) - len(refused)

    def _record(self, what: str, done: int, refused: Sequence[Refused]) -> None:
        if refused:
            bury(refused, self._store.dead_letters, self._store.now())
        self._store.deliver(self._identity, what, done, len(refused))
        self.shipped.refused += len(refused)

    def _deliver(self, index: str, action: str, waiting: Sequence[Document]) -> list[Refused]:
        """Send until the cluster has answered for every document; return the refused ones."""
        refused: list[Refused] = []
        problem = ""
        for pause in (0, *PAUSES):
            if pause:
                self._sleep(pause)
            waiting, more, problem = self._send(index, action, waiting)
            refused += more
            if not waiting:
                return refused
        raise KrSecopsError(
            tr(
                "{url}: gave up after {tries} tries ({problem}); what is left goes next time",
                url=self._cluster.name,
                tries=len(PAUSES) + 1,
                problem=problem,
            )
        )

    def _send(
        self, index: str, action: str, documents: Sequence[Document]
    ) -> tuple[Sequence[Document], list[Refused], str]:
        """Send once; return what to send again, what is refused, and the last problem."""
        operations: list[Any] = []
        for document in documents:
            operations += (orjson.dumps({action: {"_id": document.id}}), document.line)
        try:
            with self._cluster.explaining():
                answer = self._cluster.client.options(ignore_status=TOO_LARGE).bulk(
                    index=index,
                    operations=operations,
                    require_data_stream=index != FINDINGS,
                    filter_path=["errors", "items.*.status", "items.*.error"],
                )
        except BusyError as e:
            return documents, [], str(e)
        if answer.meta.status == TOO_LARGE:
            if len(documents) > 1:
                raise KrSecopsError(
                    tr("{url}: refuses a body of 1 MB; raise its limit", url=self._cluster.name)
                )
            return (), [Refused(index, documents[0], TOO_LARGE, "too large")], ""
        return self._sort(index, documents, answer["items"]) if answer["errors"] else ((), [], "")

    def _sort(
        self, index: str, documents: Sequence[Document], items: Sequence[dict[str, Any]]
    ) -> tuple[Sequence[Document], list[Refused], str]:
        again, refused, problem = list[Document](), list[Refused](), ""
        for document, item in zip(documents, items, strict=True):
            (result,) = item.values()
            status, why = result["status"], reason(result.get("error"))
            if status in BUSY:
                again.append(document)
                problem = why
            elif status in NEVER:
                refused.append(Refused(index, document, status, why))
            elif status >= FAILED and status != ALREADY_THERE:
                raise KrSecopsError(f"{self._cluster.name}: {index}: {status}: {why}")
        return again, refused, problem


def _batches(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield *items* in lists of at most `DOCUMENTS` and `BYTES`."""
    batch: list[T] = []
    room = BYTES
    for item in items:
        if batch and (len(batch) >= DOCUMENTS or size(item) > room):
            yield batch
            batch, room = [], BYTES
        batch.append(item)
        room -= size(item)
    if batch:
        yield batch


def bury(refused: Sequence[Refused], path: Path, now: str) -> None:
    """Append the documents *refused* to the dead-letter file *path*, each with its reason.

    It is on the disk before the store counts them as dealt with; after a kill in between they
    stand there twice.
    """
    lines = b""
    for one in refused:
        record = {"at": now, "index": one.index, "id": one.document.id, "status": one.status}
        record |= {"reason": one.reason, "document": orjson.Fragment(one.document.line)}
        lines += orjson.dumps(record) + b"\n"
    append(path, lines)

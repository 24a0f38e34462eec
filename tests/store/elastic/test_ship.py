from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import orjson
import pytest

from kr_secops.errors import KrSecopsError
from kr_secops.finding import Status
from kr_secops.store import ship as module
from kr_secops.store.archive import Archive
from kr_secops.store.ship import ship

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.event import Event
    from kr_secops.finding import Finding
    from kr_secops.store.elastic import Cluster
    from kr_secops.store.sqlite import Store
    from tests.store.elastic.server import Node

    Archived = Callable[[range], None]
    Count = Callable[[], int]

pytestmark = pytest.mark.slow


def test_what_is_shipped_is_shipped_once(
    cluster: Cluster, store: Store, archive_events: Archived, count_events: Count
) -> None:
    archive_events(range(2500))
    assert ship(cluster, store).events == 2500
    assert ship(cluster, store).events == 0
    archive_events(range(2500, 2600))
    assert ship(cluster, store).events == 100
    assert count_events() == 2600


def test_a_store_put_back_from_a_backup_doubles_nothing(
    cluster: Cluster, store: Store, archive_events: Archived, count_events: Count
) -> None:
    archive_events(range(300))
    ship(cluster, store)
    store._database.run("DELETE FROM deliveries")
    assert ship(cluster, store).events == 300
    assert count_events() == 300


def test_an_event_arrives_as_it_was(
    cluster: Cluster, node: Node, store: Store, make_event: Callable[..., Event], dataset: str
) -> None:
    event = make_event(1, dataset) | {
        "kr.url.decoded": "/a' or 1=1",
        "source.ip": "not an address",
        "winlog.event_data.Value": 17,
        "event.original": "x" * 40_000,
    }
    archive = Archive(store)
    archive.write(event)
    store.checkpoint(segments=archive.seal())
    assert ship(cluster, store).events == 1
    stream = f"kr-secops-events-{dataset}"
    node.ask("POST", f"/{stream}/_refresh")
    query = {"query": {"term": {"kr.url.decoded": "/a' or 1=1"}}}
    hits = node.ask("POST", f"/{stream}/_search", query)["hits"]["hits"]
    assert [hit["_source"] for hit in hits] == [event]


def test_findings_follow_their_changes(
    cluster: Cluster, node: Node, store: Store, make_finding: Callable[..., Finding]
) -> None:
    def shipped() -> list[tuple[str, str, int]]:
        node.ask("POST", "/kr-secops-findings/_refresh")
        hits = node.ask("GET", "/kr-secops-findings/_search")["hits"]["hits"]
        keys = ("kr.finding.id", "kr.finding.status", "kr.finding.count")
        return sorted(tuple(hit["_source"][key] for key in keys) for hit in hits)

    store.checkpoint(findings=[make_finding([1, 2], id="aa"), make_finding([1], id="bb")])
    assert ship(cluster, store).findings == 2
    assert shipped() == [("aa", "new", 2), ("bb", "new", 1)]
    store.set_status("aa", Status.closed, by="sri")
    assert ship(cluster, store).findings == 1
    assert shipped() == [("aa", "closed", 2), ("bb", "new", 1)]
    assert ship(cluster, store).findings == 0


def test_a_document_that_can_never_go_is_kept_with_its_reason(
    cluster: Cluster,
    store: Store,
    make_event: Callable[..., Event],
    dataset: str,
    count_events: Count,
) -> None:
    archive = Archive(store)
    for n in range(10):
        archive.write(make_event(n, dataset) | ({"host.name": {"a": {"b": 1}}} if n == 4 else {}))
    store.checkpoint(segments=archive.seal())
    shipped = ship(cluster, store)
    assert (shipped.events, shipped.refused, count_events()) == (9, 1, 9)
    (letter,) = store.dead_letters.read_bytes().splitlines()
    kept = orjson.loads(letter)
    assert (kept["status"], kept["document"]["log.offset"]) == (400, 400)
    assert "host.name" in kept["reason"]
    assert store.dead_letters.stat().st_mode & 0o777 == 0o600
    assert ship(cluster, store).refused == 0
    assert cluster.status(store).refused == 1


def test_a_forged_segment_stays_here(
    cluster: Cluster, store: Store, archive_events: Archived, count_events: Count
) -> None:
    archive_events(range(10))
    archive_events(range(10, 20))
    archive = Archive(store)
    victim = archive.entries()[0].segment.path
    path = archive.directory / victim
    path.write_bytes(path.read_bytes()[:-3] + b"abc")
    shipped = ship(cluster, store)
    assert (shipped.damaged, shipped.events, count_events()) == ([victim], 10, 10)


def test_a_server_without_templates_gets_nothing(
    node: Node, reach: Callable[..., Cluster], store: Store, archive_events: Archived
) -> None:
    cluster = reach()
    cluster.setup()
    node.ask("DELETE", "/kr-secops-findings")
    node.ask("DELETE", "/_index_template/kr-secops-findings")
    archive_events(range(3))
    with pytest.raises(KrSecopsError, match=r"not set up \(kr-secops-findings\); run"):
        ship(cluster, store)
    cluster.setup()


def test_a_killed_shipper_goes_on_where_it_was(
    cluster: Cluster,
    store: Store,
    archive_events: Archived,
    count_events: Count,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive_events(range(250))
    monkeypatch.setattr(module, "DOCUMENTS", 50)
    sent = module._Shipper._send
    batches = []

    def die_after_sending(*arguments: object) -> object:
        answer = sent(*arguments)  # type: ignore[arg-type]
        batches.append(arguments)
        if len(batches) == 3:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(module._Shipper, "_send", die_after_sending)
    with pytest.raises(KeyboardInterrupt):
        ship(cluster, store)
    assert ship(cluster, store).events == 150, "two batches were acknowledged and kept"
    assert count_events() == 250


# The client leaves the socket of a cut connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_killed_in_a_bulk_loses_and_doubles_nothing(
    cluster: Cluster,
    node: Node,
    store: Store,
    archive_events: Archived,
    count_events: Count,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive_events(range(20_000))
    send = module._Shipper._send
    sent = []

    def kill_during_the_sixth(*arguments: object) -> object:
        sent.append(1)
        if len(sent) == 6:
            killer.start()
        return send(*arguments)  # type: ignore[arg-type]

    killer = threading.Timer(0.01, node.kill)
    monkeypatch.setattr(module._Shipper, "_send", kill_during_the_sixth)
    pauses: list[float] = []
    with pytest.raises(KrSecopsError, match=r"gave up after 6 tries \(.*cannot be reached"):
        ship(cluster, store, sleep=pauses.append)
    killer.join()
    assert pauses == [1, 2, 4, 8, 16]
    node.start()
    before = cluster.status(store).events_waiting
    assert 0 < before <= 15_000
    assert ship(cluster, store).events == before
    assert count_events() == 20_000


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_comes_back_is_waited_for(
    cluster: Cluster,
    node: Node,
    store: Store,
    archive_events: Archived,
    count_events: Count,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive_events(range(20))
    cluster.identify()
    send = module._Shipper._send

    send = module._Shipper._send
    killed = []

    def kill_first(*arguments: object) -> object:
        if not killed:
            killed.append(1)
            node.kill()
        return send(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module._Shipper, "_send", kill_first)
    assert ship(cluster, store, sleep=lambda _: node.start()).events == 20
    assert count_events() == 20

"""The one server of a test run, and a store with events and findings to ship to it."""

from __future__ import annotations

import gc
import warnings
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.store.archive import Archive
from kr_secops.store.elastic import Cluster
from tests.store.elastic import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.store.sqlite import Store


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Node]:
    """A running node; skips by the name of what the machine lacks."""
    try:
        one = server.Node(tmp_path_factory.mktemp("elastic") / "node")
        one.start()
    except server.MissingError as e:
        pytest.skip(f"needs {e}")
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def _connections_of_killed_nodes() -> Iterator[None]:
    """What a node that is starting or was killed leaves open belongs to no later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@dataclass(frozen=True)
class Access:
    """Settings as `kr_secops.settings.Elastic` has them."""

    url: tuple[str, ...]
    ca: Path | None = None
    api_key_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None


@pytest.fixture
def reach(node: server.Node) -> Iterator[Callable[..., Cluster]]:
    """Connect to the node, by default as its superuser; the password is in the environment."""
    opened = []

    def connect(environment: Mapping[str, str] | None = None, **changes: Any) -> Cluster:
        secrets = {"KR_SECOPS_ELASTIC_PASSWORD": node.password}
        access = {"url": (node.url,), "ca": node.ca, "user": node.user} | changes
        opened.append(Cluster(Access(**access), secrets if environment is None else environment))
        return opened[-1]

    yield connect
    for cluster in opened:
        cluster.close()


@pytest.fixture
def cluster(node: server.Node, reach: Callable[..., Cluster]) -> Cluster:
    """The node set up, with an empty index of findings."""
    node.ask("DELETE", "/kr-secops-findings?ignore_unavailable=true")
    one = reach()
    one.setup()
    return one


NUMBERS = count(1)


@pytest.fixture
def dataset() -> str:
    """A data set that no other test ships, so that its data stream is this test's own."""
    return f"set-{next(NUMBERS)}.x"


@pytest.fixture
def archive_events(
    store: Store, make_event: Callable[..., Event], dataset: str
) -> Callable[[range], None]:
    """Archive the events with some numbers in a segment."""

    def archive(numbers: range) -> None:
        archive = Archive(store)
        for n in numbers:
            archive.write(make_event(n, dataset))
        store.checkpoint(segments=archive.seal())

    return archive


@pytest.fixture
def count_events(node: server.Node, dataset: str) -> Callable[[], int]:
    """Ask the node itself how many events of the data set it has."""

    def ask() -> int:
        stream = f"kr-secops-events-{dataset}"
        node.ask("POST", f"/{stream}/_refresh")
        found: int = node.ask("GET", f"/{stream}/_count")["count"]
        return found

    return ask

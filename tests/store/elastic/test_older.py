"""The other end of what we serve: a server of 8.19, reached by a client of that age."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import KrSecopsError
from kr_secops.store.elastic import PASSWORD, Cluster
from tests.store.elastic import older, server
from tests.store.elastic.conftest import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.finding import Finding
    from kr_secops.store.sqlite import Store

pytestmark = pytest.mark.slow

SHIP = """
import json, sys
from pathlib import Path
from elasticsearch import __versionstr__
from kr_secops.settings import Elastic
from kr_secops.store.elastic import Cluster
from kr_secops.store.ship import ship
from kr_secops.store.sqlite import Store

directory, url, ca, user = sys.argv[1:]
with Store.open(Path(directory)) as store:
    cluster = Cluster(Elastic(url=[url], ca=Path(ca), user=user))
    lacking = cluster.setup()
    first, second = ship(cluster, store), ship(cluster, store)
    print(json.dumps([__versionstr__, first.events, first.findings, second.events, lacking]))
"""


@pytest.fixture(scope="module")
def old_node() -> Iterator[older.Node]:
    """A running node of 8.19, in a folder that the user it runs as may reach."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        try:
            node = older.Node(Path(folder) / "node")
            node.start()
        except server.MissingError as e:
            pytest.skip(f"needs {e}")
        yield node
        node.kill()


def test_a_client_of_its_age_ships(
    old_node: older.Node,
    store: Store,
    archive_events: Callable[[range], None],
    make_finding: Callable[..., Finding],
) -> None:
    archive_events(range(1200))
    store.checkpoint(findings=[make_finding([1, 2])])
    done = subprocess.run(
        [sys.executable, "-c", SHIP, store.directory, old_node.url, old_node.ca, old_node.user],
        env={**os.environ, "PYTHONPATH": str(older.client()), PASSWORD: old_node.password},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    client, *shipped, lacking = json.loads(done.stdout)
    assert client == older.CLIENT
    assert shipped == [1200, 1, 0]
    assert "wildcard" in lacking


def test_a_newer_client_is_told_what_to_install(old_node: older.Node) -> None:
    if int(version("elasticsearch").partition(".")[0]) < 9:
        pytest.skip("needs a client that is newer than the server")
    access = Access((old_node.url,), old_node.ca, user=old_node.user)
    cluster = Cluster(access, {PASSWORD: old_node.password})
    with pytest.raises(KrSecopsError, match=r"older than the client 9\..*elasticsearch>=8,<9"):
        cluster.setup()
    cluster.close()

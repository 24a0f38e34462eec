from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.errors import ContentError, KrSecopsError
from kr_secops.store.elastic import Cluster
from kr_secops.store.ship import ship
from kr_secops.store.templates import FALLBACK
from tests.store.elastic.conftest import Access

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.finding import Finding
    from kr_secops.store.sqlite import Store
    from tests.store.elastic.server import Node


@pytest.mark.slow
def test_setting_up_twice_changes_nothing(node: Node, reach: Callable[..., Cluster]) -> None:
    cluster = reach()
    lacking = cluster.setup("400d")
    assert set(lacking) <= FALLBACK.keys()
    paths = ("/_index_template/kr-secops-*", "/_component_template/kr-secops-*")
    paths += ("/kr-secops-findings",)
    before = [node.ask("GET", path) for path in paths]
    assert cluster.setup("400d") == lacking
    assert [node.ask("GET", path) for path in paths] == before
    assert cluster.missing_templates() == ()
    stream = node.ask("POST", "/_index_template/_simulate_index/kr-secops-events-sshd")["template"]
    assert stream["lifecycle"]["data_retention"] == "400d"
    assert stream["mappings"]["properties"]["source"]["properties"]["ip"] == {"type": "ip"}


@pytest.mark.slow
def test_status_tells_what_waits(
    cluster: Cluster,
    node: Node,
    store: Store,
    archive_events: Callable[[range], None],
    make_finding: Callable[..., Finding],
) -> None:
    archive_events(range(30))
    archive_events(range(30, 50))
    store.checkpoint(findings=[make_finding([1])])
    before = cluster.status(store)
    assert (before.problem, before.version[:2]) == ("", "9.")
    assert (before.segments_waiting, before.events_waiting, before.missing) == (2, 50, ())
    ship(cluster, store)
    node.ask("POST", "/kr-secops-*/_refresh")
    after = cluster.status(store)
    assert (after.segments_waiting, after.events_waiting, after.findings) == (0, 0, 1)
    assert after.events == (before.events or 0) + 50


@pytest.mark.slow
def test_status_of_what_cannot_be_reached(
    store: Store, archive_events: Callable[[range], None]
) -> None:
    archive_events(range(3))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        cluster = Cluster(Access((f"http://127.0.0.1:{closed.getsockname()[1]}",)), {})
        status = cluster.status(store)
    assert "cannot be reached" in status.problem
    assert (status.segments_waiting, status.events_waiting, status.events) == (1, 3, None)
    cluster.close()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_an_api_key_that_may_only_add(
    node: Node,
    reach: Callable[..., Cluster],
    store: Store,
    archive_events: Callable[[range], None],
    count_events: Callable[[], int],
    make_finding: Callable[..., Finding],
    tmp_path: Path,
) -> None:
    events = {"names": ["kr-secops-events-*"], "privileges": ["auto_configure", "create_doc"]}
    findings = {"names": ["kr-secops-findings"], "privileges": ["index"]}
    role = {"cluster": ["monitor"], "indices": [events, findings]}
    key = node.ask("POST", "/_security/api_key", {"name": "x", "role_descriptors": {"x": role}})
    secret = tmp_path / "key"
    secret.write_text(key["encoded"] + "\n")
    secret.chmod(0o600)
    archive_events(range(5))
    store.checkpoint(findings=[make_finding([1])])
    writer = reach({}, user=None, api_key_file=secret)
    shipped = ship(writer, store)
    assert (shipped.events, shipped.findings, shipped.refused) == (5, 1, 0)
    assert count_events() == 5
    assert writer.status(store).events is None, "this key may not count"
    with pytest.raises(KrSecopsError, match=r"this user may not do that: .*unauthorized"):
        writer.setup()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "changes", "complaint"),
    [
        ({"KR_SECOPS_ELASTIC_PASSWORD": "wrong"}, {}, "refuses the credentials"),
        ({"KR_SECOPS_ELASTIC_API_KEY": "bm90OmFrZXk="}, {}, "refuses the credentials"),
        ({}, {"user": None}, "refuses the credentials"),
        (None, {"ca": None}, "certificate is not trusted .* elastic.ca"),
    ],
    ids=["wrong password", "wrong key", "no credentials", "unknown authority"],
)
def test_who_is_let_in(
    reach: Callable[..., Cluster],
    environment: dict[str, str] | None,
    changes: dict[str, Any],
    complaint: str,
) -> None:
    with pytest.raises(KrSecopsError, match=complaint) as told:
        reach(environment, **changes).identify()
    assert "wrong" not in str(told.value)


@pytest.mark.slow
def test_a_password_from_a_file(node: Node, reach: Callable[..., Cluster], tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(node.password)
    secret.chmod(0o640)
    assert reach({}, password_file=secret).identify()[1].startswith("9.")


@pytest.mark.parametrize(
    ("access", "complaint"),
    [
        ({"url": ()}, "elastic.url: is not set"),
        ({"url": ("es.example:9200",)}, "is no http"),
        ({"url": ("ftp://es.example",)}, "is no http"),
        ({"url": ("https://sri:rahasia@es.example",)}, "holds a user or password"),
        ({"url": ("https://a.example", "http://es.example:9200")}, "in clear; use https"),
    ],
)
def test_addresses_that_would_give_a_secret_away(access: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ContentError, match=complaint) as told:
        Cluster(Access(**access), {})
    assert "rahasia" not in str(told.value)


@pytest.mark.parametrize(
    ("mode", "content", "complaint"),
    [
        (0o604, b"secret", "anyone may read this secret"),
        (0o600, b"\n", "is empty"),
        (0o600, b"\xff\xfe", "codec"),
        (None, b"", "No such file"),
    ],
)
def test_secret_files_that_cannot_be_used(
    tmp_path: Path, mode: int | None, content: bytes, complaint: str
) -> None:
    path = tmp_path / "key"
    if mode is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(ContentError, match=complaint):
        Cluster(Access(("https://es.example",), api_key_file=path), {})


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(ContentError, match=r"elastic\.ca: .*ca\.pem"):
        Cluster(Access(("https://es.example",), ca=path), {})

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kr_secops.errors import UsageError
from kr_secops.finding import Level, Status
from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.finding import Finding
    from tests.store.conftest import Clock

    Make = Callable[..., Finding]


def test_an_event_counts_once_however_often_it_is_read(store: Store, make_finding: Make) -> None:
    assert store.checkpoint(findings=[make_finding(range(4))]) == ["a1b2c3"]
    assert store.checkpoint(findings=[make_finding(range(4))]) == []
    assert store.checkpoint(findings=[make_finding(range(2, 6))]) == []
    kept = store.get("a1b2c3")
    assert kept.count == 6
    assert (kept.first_seen, kept.last_seen) == (
        "2026-11-17T00:00:00.000Z",
        "2026-11-17T00:00:05.000Z",
    )
    assert [one.event["log.offset"] for one in kept.evidence] == [0, 100, 200, 300, 500]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(reads=st.lists(st.lists(st.integers(0, 30), min_size=1), min_size=1, max_size=6))
def test_the_count_is_the_number_of_different_events(
    reads: list[list[int]], make_finding: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Store.open(tmp_path_factory.mktemp("state")) as store:
        for numbers in reads:
            store.checkpoint(findings=[make_finding(sorted(numbers))])
        assert store.get("a").count == len({n for numbers in reads for n in numbers})


def test_evidence_is_never_doubled(store: Store, make_finding: Make) -> None:
    store.checkpoint(findings=[make_finding([1, 2])])
    store.checkpoint(findings=[make_finding([1, 2, 3])])
    assert [one.event["log.offset"] for one in store.get("a").evidence] == [100, 200, 300]


def test_a_risen_finding_is_told_again(store: Store, make_finding: Make) -> None:
    store.checkpoint(findings=[make_finding([1])])
    assert store.checkpoint(findings=[make_finding([2], level=Level.high)]) == ["a1b2c3"]
    assert store.checkpoint(findings=[make_finding([3], level=Level.low)]) == []
    assert store.get("a").level is Level.high


def test_a_closed_finding_opens_again_only_for_a_new_event(
    store: Store, make_finding: Make
) -> None:
    store.checkpoint(findings=[make_finding([1])])
    store.set_status("a1b2c3", Status.closed, reason="blocked", by="sri")
    assert store.checkpoint(findings=[make_finding([1])]) == []
    assert store.get("a").status is Status.closed
    assert store.checkpoint(findings=[make_finding([1, 2])]) == ["a1b2c3"]
    assert (store.get("a").status, store.get("a").reason) == (Status.new, None)
    assert [(c.by, c.old.value, c.new.value, c.reason) for c in store.history("a")] == [
        ("sri", "new", "closed", "blocked"),
        ("kr-secops", "closed", "new", "seen again"),
    ]


@pytest.mark.parametrize("before", [Status.new, Status.acknowledged])
def test_a_suppression_ends(
    store: Store, clock: Clock, make_finding: Make, before: Status, tmp_path: Path
) -> None:
    store.checkpoint(findings=[make_finding([1])])
    store.set_status("a", before, by="sri")
    store.set_status(
        "a", Status.suppressed, by="sri", reason="scanner", expires="2026-11-20T07:00:00+07:00"
    )
    assert store.checkpoint(findings=[make_finding([2], level=Level.critical)]) == []
    kept = store.get("a")
    assert (kept.status, kept.expires, kept.count) == (
        Status.suppressed,
        "2026-11-20T00:00:00.000Z",
        2,
    )
    clock.pass_days(3)
    with Store.open(tmp_path / "state", clock) as later:
        assert (later.get("a").status, later.get("a").expires) == (before, None)
        assert later.history("a")[-1].reason == "suppression ended"


def test_a_suppression_ends_during_a_long_run(
    store: Store, clock: Clock, make_finding: Make
) -> None:
    store.checkpoint(findings=[make_finding([1])])
    store.set_status("a", Status.suppressed, by="sri", reason="x", expires="2026-11-18T00:00:00Z")
    clock.pass_days(1)
    store.checkpoint()
    assert store.get("a").status is Status.new


@pytest.mark.parametrize(
    ("reason", "expires", "complaint"),
    [
        (None, "2026-12-01T00:00:00Z", "needs a reason"),
        ("  ", "2026-12-01T00:00:00Z", "needs a reason"),
        ("scanner", None, "a day on which it ends"),
        ("scanner", "2026-11-01T00:00:00Z", "is past"),
    ],
)
def test_a_suppression_needs_reason_and_end(
    store: Store, make_finding: Make, reason: str | None, expires: str | None, complaint: str
) -> None:
    store.checkpoint(findings=[make_finding([1])])
    with pytest.raises(UsageError, match=complaint):
        store.set_status("a", Status.suppressed, by="sri", reason=reason, expires=expires)
    assert store.history("a") == []


def test_a_finding_without_sightings_is_kept_as_it_says(store: Store, make_finding: Make) -> None:
    whole = replace(make_finding([1, 2, 3]), sightings=frozenset())
    store.checkpoint(findings=[whole])
    store.checkpoint(findings=[whole])
    assert store.get("a").count == 3
    store.checkpoint(findings=[replace(whole, count=7)])
    assert store.get("a").count == 7


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, ["cc1", "cc2", "cc", "bb"]),
        ({"levels": [Level.low, Level.high]}, ["cc1", "cc2", "bb"]),
        ({"levels": []}, []),
        ({"host": "db-izin"}, ["bb"]),
        ({"rule": "rule-2"}, ["cc2"]),
        ({"statuses": [Status.closed]}, ["cc"]),
        ({"statuses": [Status.new], "limit": 2}, ["cc1", "cc2"]),
        ({"since": "2026-11-17T07:00:05+07:00"}, ["cc1", "cc"]),
    ],
)
def test_listing(
    store: Store, make_finding: Make, filters: dict[str, object], ids: list[str]
) -> None:
    store.checkpoint(
        findings=[
            make_finding([4], id="bb", level=Level.low, host="db-izin"),
            make_finding([6], id="cc", level=Level.medium),
            make_finding([5], id="cc1", level=Level.high),
            make_finding([3], id="cc2", level=Level.high, rule_id="rule-2"),
        ]
    )
    store.set_status("cc", Status.closed, by="sri")
    assert [finding.id for finding in store.findings(**filters)] == ids  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("b", "bb"),
        ("cc", "cc"),
        ("cc1", "cc1"),
        ("c", "'c' begins several ids: cc, cc1, cc2"),
        ("x", "no finding has an id that begins with 'x'"),
        ("", "no finding"),
        ("%", "no finding"),
        ("bbb", "no finding"),
    ],
)
def test_a_beginning_names_one_finding(
    store: Store, make_finding: Make, prefix: str, found: str
) -> None:
    store.checkpoint(findings=[make_finding([1], id=id) for id in ("bb", "cc", "cc1", "cc2")])
    if " " in found:
        with pytest.raises(UsageError, match=found):
            store.get(prefix)
    else:
        assert store.get(prefix).id == found


def test_what_changed_is_found_by_revision(store: Store, make_finding: Make) -> None:
    store.checkpoint(findings=[make_finding([1], id="aa"), make_finding([1], id="bb")])
    seen = store.changed(0, 10)
    assert [finding.id for _, finding in seen] == ["aa", "bb"]
    store.set_status("aa", Status.acknowledged, by="sri")
    assert [f.id for _, f in store.changed(seen[-1][0], 10)] == ["aa"]
    assert len(store.changed(0, 1)) == 1

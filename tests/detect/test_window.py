"""Correlations: each type, ranges, order, lateness, persistence, bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from kr_secops.detect.engine import Engine
from kr_secops.detect.window import ALL_ENTRIES, Windows
from kr_secops.event import timestamp
from kr_secops.rule.correlation import Correlation
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kr_secops.finding import Finding
    from kr_secops.rule.ruleset import Ruleset

START = datetime(2026, 11, 17, 1, tzinfo=UTC)


def base(name: str) -> dict[str, Any]:
    detection = {"s": {"event.action": name}, "condition": "s"}
    return rule(detection, title=name, name=name)


def correlation(kind: str, rules: list[str], **more: Any) -> dict[str, Any]:
    return {
        "title": "correlated",
        "id": "11111111-1111-4111-8111-111111111111",
        "name": "correlated",
        "level": "high",
        "correlation": {
            "type": kind, "rules": rules, "group-by": ["source.ip"], "timespan": "10m", **more,
        },
    }  # fmt: skip


def happening(action: str, minute: float, **fields: Any) -> dict[str, Any]:
    when = timestamp(START + timedelta(minutes=minute))
    return {
        "@timestamp": when, "event.dataset": "sshd", "event.action": action,
        "source.ip": "203.0.113.9", "message": f"{action} {minute} {fields}", **fields,
    }  # fmt: skip


def run(ruleset: Ruleset, events: Iterable[dict[str, Any]]) -> list[Finding]:
    engine = Engine(ruleset)
    for event in events:
        engine.feed(event)
    engine.close()
    return [f for f in engine.findings() if f.rule_name == "correlated"]


A, B, C = "a", "b", "c"


@pytest.mark.parametrize(
    ("spec", "events", "count"),
    [
        (("event_count", [A], {"condition": {"gte": 3}}), [(A, 0), (A, 5), (A, 10)], 3),
        (("event_count", [A], {"condition": {"gte": 3}}), [(A, 0), (A, 5), (A, 10.1)], 0),
        (("event_count", [A], {"condition": {"gt": 2}}), [(A, 0), (A, 1), (A, 2), (A, 3)], 4),
        (("event_count", [A], {"condition": {"gte": 3}}), [(A, 9), (A, 1), (A, 5)], 3),
        (("event_count", [A], {"condition": {"gte": 2, "lte": 3}}), [(A, 0), (A, 1), (A, 2)], 3),
        (("event_count", [A], {"condition": {"gte": 2, "lte": 3}}), [(A, i) for i in range(4)], 0),
        (("event_count", [A], {"condition": {"lt": 2}}), [(A, 0), (A, 30), (A, 31)], 1),
        (("event_count", [A], {"condition": {"eq": 2}}), [(A, 0), (A, 1)], 2),
        (("event_count", [A, B], {"condition": {"gte": 2}}), [(A, 0), (B, 1)], 2),
        (("temporal", [A, B], {}), [(B, 0), (A, 9)], 2),
        (("temporal", [A, B], {}), [(B, 0), (A, 11)], 0),
        (("temporal", [A, B, C], {"condition": {"gte": 2}}), [(B, 0), (A, 1)], 2),
        (("temporal", [A, B], {"condition": "a and not b"}), [(A, 0), (A, 1)], 2),
        (("temporal", [A, B], {"condition": "a and not b"}), [(A, 0), (B, 1)], 0),
        (("temporal", [A, B, C], {"condition": "a and (b or c)"}), [(C, 0), (A, 1)], 2),
        (("temporal_ordered", [A, B], {}), [(A, 0), (B, 1)], 2),
        (("temporal_ordered", [A, B], {}), [(B, 0), (A, 1)], 0),
        (("temporal_ordered", [A, B], {}), [(B, 5), (A, 1)], 2),
        (("temporal_ordered", [A, B, C], {}), [(A, 0), (C, 1), (B, 2), (C, 3)], 4),
    ],
)  # fmt: skip
def test_types(
    spec: Any, events: list[tuple[str, float]], count: int, make_rules: Callable[..., Ruleset]
) -> None:
    kind, rules, more = spec
    ruleset = make_rules(*map(base, (A, B, C)), correlation(kind, rules, **more))
    findings = run(ruleset, [happening(action, minute) for action, minute in events])
    assert sum(finding.count for finding in findings) == count


@pytest.mark.parametrize(
    ("kind", "condition", "values", "fires"),
    [
        ("value_count", {"gte": 3, "field": "user.name"}, ["x", "y", "x", "z"], True),
        ("value_count", {"gte": 3, "field": "user.name"}, ["x", "y", "x", "y"], False),
        ("value_sum", {"gt": 10, "field": "user.name"}, [5, 6], True),
        ("value_sum", {"gt": 10, "field": "user.name"}, [5, 5, "none"], False),
        ("value_avg", {"gte": 4, "field": "user.name"}, [2, 6], True),
        ("value_median", {"gte": 4, "field": "user.name"}, [1, 1, 9], False),
        ("value_percentile", {"gte": 8, "field": "user.name", "percentile": 90}, [1, 1, 9, 9], True),
    ],
)  # fmt: skip
def test_values(
    kind: str,
    condition: dict[str, Any],
    values: list[Any],
    fires: bool,
    make_rules: Callable[..., Ruleset],
) -> None:
    ruleset = make_rules(base(A), correlation(kind, [A], condition=condition))
    events = [happening(A, i, **{"user.name": v}) for i, v in enumerate(values)]
    assert bool(run(ruleset, events)) == fires


def test_groups_are_apart_and_what_lacks_a_field_is_left_out(
    make_rules: Callable[..., Ruleset],
) -> None:
    ruleset = make_rules(base(A), correlation("event_count", [A], condition={"gte": 2}))
    events = [happening(A, i, **{"source.ip": f"10.0.0.{i}"}) for i in range(3)]
    events += [{k: v for k, v in happening(A, i).items() if k != "source.ip"} for i in range(3)]
    assert run(ruleset, events) == []


def test_aliases_give_one_name_to_two_fields(make_rules: Callable[..., Ruleset]) -> None:
    aliases = {"address": {A: "source.ip", B: "destination.ip"}}
    ruleset = make_rules(
        base(A),
        base(B),
        correlation("temporal", [A, B], **{"group-by": ["address"]}, aliases=aliases),
    )
    (finding,) = run(
        ruleset,
        [happening(A, 0), happening(B, 1, **{"source.ip": "x", "destination.ip": "203.0.113.9"})],
    )
    assert finding.entity == {"address": "203.0.113.9"}


def chain(generate: bool) -> list[dict[str, Any]]:
    guessing = correlation("event_count", [A], condition={"gte": 3}) | {
        "name": "guessing",
        "title": "guessing",
    }
    guessing["id"] = "22222222-2222-4222-8222-222222222222"
    return [base(A), base(B), guessing, correlation("temporal_ordered", ["guessing", B], timespan="1h", generate=generate)]  # fmt: skip


@pytest.mark.parametrize("generate", [True, False])
def test_a_correlation_of_a_correlation(generate: bool, make_rules: Callable[..., Ruleset]) -> None:
    engine = Engine(make_rules(*chain(generate)))
    for event in [*(happening(A, i) for i in range(5)), happening(B, 50)]:
        engine.feed(event)
    findings = {finding.rule_name: finding for finding in engine.findings()}
    assert findings["correlated"].count == 6
    assert {e.event["event.action"] for e in findings["correlated"].evidence} == {A, B}
    assert ("guessing" in findings) == generate
    assert (A in findings) is False


def test_state_goes_on_in_the_next_run(make_rules: Callable[..., Ruleset]) -> None:
    ruleset = make_rules(*chain(generate=True))
    events = [*(happening(A, i) for i in range(5)), happening(B, 20)]
    whole = Engine(ruleset)
    for event in events:
        whole.feed(event)
    expected = {f.id: f.count for f in whole.findings()}
    state, counted = b"", dict.fromkeys(expected, 0)
    for event in events:  # one run an event, and each event read twice
        engine = Engine(ruleset, windows=state)
        engine.feed(event)
        engine.feed(event)
        for finding in engine.findings():
            counted[finding.id] += finding.count
        state = engine.windows()
    assert counted == expected


@pytest.mark.parametrize("state", [b"{", b"{}", b'{"version": 1, "newest": "x"}', b"\xff", b"[]"])
def test_a_torn_state_is_a_fresh_start(state: bytes, make_rules: Callable[..., Ruleset]) -> None:
    ruleset = make_rules(base(A), correlation("event_count", [A], condition={"gte": 1}))
    engine = Engine(ruleset, windows=state)
    engine.feed(happening(A, 0))
    assert len(list(engine.findings())) == 1


def test_memory_is_bounded() -> None:
    one = Correlation(1, "event_count", (0,), (("source.ip", {0: ("source.ip",)}),), 600, (("gte", 1e9),))  # fmt: skip
    windows = Windows([one], str, lambda *_: "id")
    for i in range(ALL_ENTRIES + 5_000):
        event = {"source.ip": str(i)}
        windows.feed(0, event, float(i), str(i), lambda: b"{}")
    assert windows.forgotten >= 5_000
    assert len(windows.dump(str)) < 200 * ALL_ENTRIES


@pytest.mark.parametrize("kind", ["temporal", "temporal_ordered"])
def test_a_flood_of_one_sign_does_not_push_out_the_others(
    kind: str, make_rules: Callable[..., Ruleset]
) -> None:
    names = ["upload", "use", "escape"]
    ruleset = make_rules(*map(base, names), correlation(kind, names, timespan="2h"))
    engine = Engine(ruleset)
    engine.feed(happening("upload", 0))
    engine.feed(happening("use", 1))
    for i in range(1_000):
        engine.feed(happening("use" if i % 3 else "upload", 2 + i / 20, number=i))
    assert list(engine.findings()) == []
    engine.feed(happening("escape", 60))
    [finding] = engine.findings()
    assert finding.first_seen == timestamp(START)
    assert engine.forgotten == 0


def test_a_sum_of_many_small_numbers_is_whole(make_rules: Callable[..., Ruleset]) -> None:
    condition = {"gte": 1_500, "field": "http.response.body.bytes"}
    ruleset = make_rules(base(A), correlation("value_sum", [A], condition=condition))
    engine = Engine(ruleset)
    for i in range(1_499):
        engine.feed(happening(A, i / 1_000, **{"http.response.body.bytes": 1, "number": i}))
    assert list(engine.findings()) == []
    engine.feed(happening(A, 2, **{"http.response.body.bytes": 1}))
    assert [finding.count for finding in engine.findings()] == [1_500]


@pytest.mark.parametrize("kind", ["value_sum", "value_avg", "value_median", "value_percentile"])
def test_numbers_too_large_to_add_stop_no_run(
    kind: str, make_rules: Callable[..., Ruleset]
) -> None:
    condition = {"gte": 5, "field": "source.bytes"}
    ruleset = make_rules(base(A), correlation(kind, [A], condition=condition))
    texts = ("1e308", "1.7e308", "-1e308", "nan", "inf", "many", "9" * 400)
    found = run(
        ruleset, [happening(A, i, **{"source.bytes": text}) for i, text in enumerate(texts)]
    )
    assert [one.count for one in found] == [len(texts)]


def test_a_record_from_the_future_ends_no_window(make_rules: Callable[..., Ruleset]) -> None:
    ruleset = make_rules(base(A), correlation("event_count", [A], condition={"lt": 2}))
    engine = Engine(ruleset, clock=START.timestamp)
    engine.feed(happening(A, 0))
    engine.feed(happening(A, 60 * 24 * 365, **{"source.ip": "10.9.9.9"}))
    assert list(engine.findings()) == []


def holds(kind: str, bound: int, rows: list[tuple[float, str, int]]) -> bool:
    """What a correlation of a and b (gte *bound*) says of the *rows* of one window."""
    if kind == "event_count":
        return len(rows) >= bound
    if kind == "value_count":
        return len({value for _, _, value in rows}) >= bound
    if kind == "temporal":
        return {rule for _, rule, _ in rows} == {A, B}
    return any(
        one == A and two == B for i, (_, one, _) in enumerate(rows) for _, two, _ in rows[i + 1 :]
    )


@seed(7)
@settings(max_examples=150, deadline=None, database=None, phases=(Phase.explicit, Phase.generate))
@given(
    kind=st.sampled_from(("event_count", "value_count", "temporal", "temporal_ordered")),
    bound=st.integers(1, 4),
    rows=st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from((A, B)), st.integers(0, 3)), max_size=14
    ),
)
def test_every_window_is_seen_in_whatever_order_events_come(
    kind: str, bound: int, rows: list[tuple[float, str, int]]
) -> None:
    span = 10
    numbers = {A: 0, B: 1}
    values = ({0: ("v",), 1: ("v",)},) if kind == "value_count" else ()
    least = bound if kind.endswith("count") else 2
    one = Correlation(9, kind, (0, 1), (), span, (("gte", least),), values)
    windows = Windows([one], lambda t: f"{t:09.3f}", lambda *_: "id")
    seen: set[str] = set()
    for i, (time, rule_name, value) in enumerate(rows):
        event = {"v": str(value)}
        for fired in windows.feed(numbers[rule_name], event, float(time), str(i), lambda: b"{}"):
            seen.update(fired.sightings)
    placed = sorted(((*row, str(i)) for i, row in enumerate(rows)), key=lambda row: row[0])
    wanted: set[str] = set()
    needed: set[str] = set()
    for end, *_ in placed:
        inside = [row for row in placed if end - span <= row[0] <= end]
        if holds(kind, bound, [row[:3] for row in inside]):
            wanted.update(row[3] for row in inside)
            # What follows a row that is complete may be left out.
            if kind != "temporal_ordered" or all(r[1] == B for r in inside if r[0] == end):
                needed.update(row[3] for row in inside)
    assert needed <= seen <= wanted

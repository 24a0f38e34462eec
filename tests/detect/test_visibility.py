"""A rule needs a field only where it cannot be true without it, and what matched was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr_secops.detect import observed as module
from kr_secops.detect.advice import advice, field_advice
from kr_secops.detect.matcher import Low, holds
from kr_secops.detect.observed import Observed
from kr_secops.detect.visibility import Judge, Reason, Sight, judge, wanted
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.detect.visibility import Visibility
    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.tree import Node

SSHD: Event = {"event.dataset": "sshd", "event.action": "ssh_login", "user.name": "budi"}
CREATION: Event = {
    "event.dataset": "windows",
    "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
    "event.code": "1",
    "winlog.event_data.Image": "C:\\x.exe",
}


def seen(ruleset: Ruleset, *events: Event) -> Visibility:
    observed = Observed(wanted(ruleset, ruleset.rules))
    for event in events:
        observed.add(event)
    return judge(ruleset, ruleset.rules, observed)


def one(ruleset: Ruleset, *events: Event) -> tuple[str, str, tuple[str, ...]]:
    verdict = seen(ruleset, *events).verdicts[0]
    return verdict.sight.value, verdict.reason.value, verdict.missing


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"user.name": "root"}, ("seen", "", ())),
        ({"source.ip": "192.0.2.1"}, ("blind", "no field", ("source.ip",))),
        ({"user.name": "x", "source.ip|cidr": "10.0.0.0/8"}, ("blind", "no field", ("source.ip",))),
        # One side of an "or" is enough, and the other is of use.
        ([{"user.name": "x"}, {"source.ip": "192.0.2.1"}], ("partly", "", ("source.ip",))),
        ([{"a.b": "x"}, {"c.d": "x", "e.f": "y"}], ("blind", "no field", ("a.b",))),
        ({"source.ip": None}, ("seen", "", ())),
        ({"source.ip|exists": False}, ("seen", "", ())),
        ({"source.ip|exists": True}, ("blind", "no field", ("source.ip",))),
        ({"user.name|fieldref": "user.id"}, ("blind", "no field", ("user.id",))),
        ({"group.name": ""}, ("seen", "", ())),
        ({"group.name": "x"}, ("blind", "no field", ("group.name",))),
        ({"kr.pii.types": "nik"}, ("seen", "", ())),
        (["segfault"], ("seen", "", ())),
    ],
)
def test_what_a_rule_needs(
    make_rules: Callable[..., Ruleset], selection: Any, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    rules = make_rules(rule({"s": selection, "condition": "s"}))
    assert one(rules, SSHD | {"group.name": ""}) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("s and not f", ("seen", "", ())),  # a filter that can never apply hides nothing
        ("not f", ("seen", "", ())),
        ("f", ("blind", "no field", ("source.ip",))),
        ("not (not f)", ("blind", "no field", ("source.ip",))),
        ("s or f", ("partly", "", ("source.ip",))),
        ("1 of *", ("partly", "", ("source.ip",))),
        ("all of *", ("blind", "no field", ("source.ip",))),
    ],
)
def test_conditions(
    make_rules: Callable[..., Ruleset], condition: str, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    detection = {
        "s": {"user.name": "x"},
        "f": {"source.ip": "192.0.2.1"},
        "condition": condition,
    }
    assert one(make_rules(rule(detection)), SSHD) == expected


def test_another_source_is_no_help(make_rules: Callable[..., Ruleset]) -> None:
    rules = make_rules(rule({"s": {"user.name": "x"}, "condition": "s"}))
    found = seen(rules, SSHD | {"event.dataset": "cron"})
    assert found.verdicts[0].reason is Reason.no_source
    assert found.unseen()["sshd"] == 1
    assert found.sources[0].could == set()


def test_an_action_that_never_came_is_no_blindness(make_rules: Callable[..., Ruleset]) -> None:
    rules = make_rules(rule({"s": {"event.action": "ssh_disconnect"}, "condition": "s"}))
    assert one(rules, SSHD) == ("seen", "", ())


def test_windows_goes_by_channel_and_number(make_rules: Callable[..., Ruleset]) -> None:
    more: Any = {
        "taxonomy": "sigma",
        "logsource": {"product": "windows", "category": "process_creation"},
    }
    document = rule({"s": {"Image|endswith": "x.exe"}, "condition": "s"}, **more)
    rules = make_rules(document)
    assert one(rules, CREATION) == ("seen", "", ())
    found = seen(rules, CREATION | {"event.code": "3"})
    assert found.verdicts[0].sight is Sight.blind
    assert set(found.verdicts[0].wants) == {
        "microsoft-windows-sysmon/operational 1",
        "security 4688",
    }
    assert found.sources[0].label == "Microsoft-Windows-Sysmon/Operational 3"
    # The Security log will do as well, and what it lacks is named.
    bare = {"winlog.channel": "Security", "event.code": "4688", "event.dataset": "windows"}
    assert one(rules, bare) == ("blind", "no field", ("winlog.event_data.NewProcessName",))


def test_what_no_collector_brings(make_rules: Callable[..., Ruleset]) -> None:
    more: Any = {"taxonomy": "sigma", "logsource": {"product": "aws", "service": "cloudtrail"}}
    rules = make_rules(rule({"s": {"eventName": "x"}, "condition": "s"}, **more))
    assert one(rules, SSHD) == ("blind", "no collector", ())


def counting(kind: str, names: list[str]) -> dict[str, Any]:
    return {
        "title": kind,
        "level": "low",
        "correlation": {
            "type": kind,
            "rules": names,
            "group-by": ["host.name"],
            "timespan": "1h",
            **({"condition": {"gte": 5}} if kind == "event_count" else {}),
        },
    }


@pytest.mark.parametrize(
    ("kind", "sight"), [("event_count", Sight.seen), ("temporal", Sight.blind)]
)
def test_an_order_needs_all(make_rules: Callable[..., Ruleset], kind: str, sight: Sight) -> None:
    rules = make_rules(
        rule({"s": {"user.name": "x"}, "condition": "s"}, title="a", name="a"),
        rule({"s": {"no.such": "x"}, "condition": "s"}, title="b", name="b"),
        counting(kind, ["a", "b"]),
    )
    verdicts = {v.rule.title: v for v in seen(rules, SSHD).verdicts}
    assert verdicts[kind].sight is sight


def test_a_source_tells_what_it_misses(make_rules: Callable[..., Ruleset]) -> None:
    rules = make_rules(
        rule({"s": {"user.name": "x"}, "condition": "s"}, title="a"),
        rule({"s": {"source.ip": "x"}, "condition": "s"}, title="b"),
        rule({"s": {"source.ip": "y"}, "condition": "s"}, title="c"),
    )
    (source,) = seen(rules, SSHD, SSHD).sources
    assert (source.label, source.events) == ("sshd", 2)
    assert (len(source.could), len(source.cannot)) == (1, 2)
    assert source.missing == {"source.ip": 2}


def test_memory_ends_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NAMES_KEPT", 100)
    monkeypatch.setattr(module, "SOURCES_KEPT", 10)
    observed = Observed(["user.name"])
    observed.add({f"x.{i}": i for i in range(150)} | {"user.name": "x"})
    assert observed.names_left_out == 50
    assert observed.filled()["user.name"] == 1
    for i in range(15):
        observed.add({"event.dataset": f"d{i}", "user.name": "x"})
    assert len(observed.sources) == 10
    assert observed.events_left_out == 6
    assert observed.events == 16
    assert observed.filled()["user.name"] == 10


def test_a_list_where_one_value_is_usual(make_rules: Callable[..., Ruleset]) -> None:
    rules = make_rules(rule({"s": {"user.name": "x"}, "condition": "s"}))
    assert one(rules, SSHD | {"event.dataset": ["x", "sshd"]}) == ("seen", "", ())


def test_a_field_that_windows_must_be_told_to_write() -> None:
    name = "winlog.event_data.CommandLine"
    assert "command line" in field_advice("Security 4688", name, "en")
    assert field_advice("Security 4688", "winlog.event_data.Nothing", "en") == ""
    assert field_advice("nginx.access web", "user_agent.original", "id")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("microsoft-windows-sysmon/operational 1", "Sysmon"),
        ("security 4688", "Process Creation"),
        ("security 9999", "audit policy"),
        ("nginx.access", "nginx_access: /var/log/nginx/"),
        ("network.http", "network: *.pcap"),
        ("syslog", "syslog: /var/log/"),  # not that of netfilter, whose lines come with it
        ("mysql.audit", "server_audit_logging = ON"),
        ("mysql.error", "log_error_verbosity = 3"),
        ("mysql.general", "general_log = ON"),
        ("mikrotik", "bsd-syslog=yes"),
        ("netfilter", "ufw logging on"),
        ("samba", "full_audit"),
        ("postfix", "header_checks"),
        ("dovecot", "auth_verbose"),
        ("dnsmasq", "log-queries=extra"),
        ("named", "querylog yes"),
        ("nothing of ours", ""),
    ],
)
def test_advice(source: str, expected: str) -> None:
    assert expected in advice(source, "en")
    assert bool(advice(source, "id")) == bool(expected)


FIELDS = ("a", "b", "event.code", "winlog.channel")
VALUES = ("", "x", "xy", "1")
LEAVES = st.one_of(
    st.tuples(
        st.just("lit"),
        st.sampled_from(FIELDS),
        st.sampled_from("=*^$"),
        st.sampled_from(VALUES[1:]),
    ),
    st.tuples(st.just("null"), st.sampled_from(FIELDS)),
    st.tuples(st.just("empty"), st.sampled_from(FIELDS)),
    st.tuples(st.just("exists"), st.sampled_from(FIELDS), st.booleans()),
    st.tuples(
        st.just("re"),
        st.sampled_from(FIELDS),
        st.sampled_from(["^$", "x"]),
        st.just(0),
        st.just(()),
    ),
    st.tuples(st.just("glob"), st.sampled_from(FIELDS), st.just(".*"), st.just(())),
    st.tuples(st.just("cmp"), st.sampled_from(FIELDS), st.just("gte"), st.just(1)),
    st.tuples(st.just("ref"), st.sampled_from(FIELDS), st.sampled_from(FIELDS), st.just("=")),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(
            st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3).map(tuple)
        ),
    ),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.none())


def is_true(node: Node, low: Low) -> bool:
    if node[0] == "not":
        return not is_true(node[1], low)
    if node[0] in ("and", "or"):
        parts = [is_true(child, low) for child in node[1]]
        return all(parts) if node[0] == "and" else any(parts)
    return holds(node, low)


@settings(max_examples=400)
@given(TREES, EVENTS)
def test_what_is_true_of_an_event_was_possible(tree: Node, event: Event) -> None:
    observed = Observed()
    observed.add(event)
    (source,) = observed.sources.values()
    true = is_true(tree, Low(event))
    assert Judge(source).chance(tree, true).possible

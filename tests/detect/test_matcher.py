"""The engine against the explanation, which knows no index; what a match says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kr_secops.detect.engine import Engine
from kr_secops.detect.explain import explain
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.rule.ruleset import Ruleset


def event(fields: dict[str, Any]) -> dict[str, Any]:
    return {"@timestamp": "2026-11-17T01:00:00.000Z", "event.dataset": "sshd", **fields}


VALUES = st.sampled_from(
    ["root", "Root", "ROOTS", "a root b", "sari", "", None, 5, "5", True, "true", 1.0, "\u212aim",
     "kim", "İx", "x" * 2000 + "root", ["sari", "root"], [], [None], "10.0.0.7"]
)  # fmt: skip
FIELDS = ("user.name", "process.name", "message")
EVENTS = st.dictionaries(st.sampled_from(FIELDS), VALUES)
ITEMS = st.sampled_from(
    [("", "root"), ("|contains", "oo"), ("|startswith", "ro"), ("|endswith", "ts"), ("", None),
     ("", ""), ("|re", "r..t$"), ("|cidr", "10.0.0.0/8"), ("|exists", True), ("", 5),
     ("", ["root", "sari", "kim"]), ("|contains", "kim"), ("|gt", 3), ("|cased", "Root"),
     ("", "r*t?"), ("|neq", "sari"), ("|contains|all", ["o", "t"]), ("", True)]
)  # fmt: skip
PARTS = st.dictionaries(st.sampled_from(FIELDS), ITEMS, min_size=1).map(
    lambda part: {field + item[0]: item[1] for field, item in part.items()}
)
CONDITIONS = st.sampled_from(
    ["a", "a or b", "a and b", "a and not b", "not a", "not (a or b)", "a or not b", "1 of *"]
)


@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rules=st.lists(st.tuples(PARTS, PARTS, CONDITIONS), min_size=1, max_size=9),
    events=st.lists(EVENTS, min_size=1, max_size=8),
)
def test_the_index_loses_nothing(
    rules: list[tuple[dict[str, Any], dict[str, Any], str]],
    events: list[dict[str, Any]],
    make_rules: Callable[..., Ruleset],
) -> None:
    documents = [
        rule({"a": a, "b": b, "condition": condition}, title=f"rule {i}")
        for i, (a, b, condition) in enumerate(rules)
    ]
    ruleset = make_rules(*documents)
    engine = Engine(ruleset)
    for _ in range(2):  # the second time from what the engine remembers
        for fields in events:
            one = event(fields)
            found = {match.rule.number for match in engine.feed(one)}
            wanted = {
                r.number
                for r in ruleset.rules
                if any(explain(tree, one)["true"] for tree in ruleset.trees(r.number))
            }
            assert found == wanted


def test_an_event_of_another_source_is_none_of_its_business(
    make_rules: Callable[..., Ruleset],
) -> None:
    engine = Engine(make_rules(rule({"s": {"user.name": "root"}, "condition": "s"})))
    assert engine.feed({"event.dataset": "sshd", "user.name": "root"})
    assert engine.feed({"event.dataset": ["sshd", "x"], "user.name": "root"})
    assert not engine.feed({"event.dataset": "sudo", "user.name": "root"})
    assert not engine.feed({"user.name": "root"})


def test_an_explanation_names_the_parts(make_rules: Callable[..., Ruleset]) -> None:
    detection = {
        "who": {"user.name": ["root", "toor"]},
        "not_us": {"source.ip|cidr": "10.0.0.0/8"},
        "condition": "who and not not_us",
    }
    engine = Engine(make_rules(rule(detection)))
    (match,) = engine.feed(event({"user.name": "root", "source.ip": "203.0.113.9"}))
    shown = match.explain()
    logsource, who, rest = shown["of"]
    assert logsource["name"] == "logsource"
    assert (who["name"], who["op"], who["true"]) == ("who", "or", True)
    assert who["of"][0] == {
        "field": "user.name", "is": "equals", "want": "root", "value": "root", "true": True,
    }  # fmt: skip
    assert (rest["op"], rest["of"][0]["name"], rest["of"][0]["true"]) == ("not", "not_us", False)

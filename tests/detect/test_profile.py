"""The profile finds what the engine finds, and its figures fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.collect.reading import Options, read
from kr_secops.detect import profile as module
from kr_secops.detect.engine import Engine
from kr_secops.detect.observed import Observed
from kr_secops.detect.profile import Profile
from kr_secops.detect.visibility import Sight, judge, wanted
from kr_secops.pipeline import Account, events
from kr_secops.privacy.mask import Guard
from kr_secops.rule.ruleset import load
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset

EVENTS: list[Event] = [
    {
        "@timestamp": f"2026-11-17T01:{i:02}:00.000Z",
        "event.dataset": "sshd",
        "host.name": f"h{i % 2}",
        "user.name": f"user{i % 5}",
        "message": "x" * i,
    }
    for i in range(60)
]


@pytest.fixture
def ruleset(make_rules: Callable[..., Ruleset]) -> Ruleset:
    return make_rules(
        rule({"s": {"user.name": "user3"}, "condition": "s"}, title="three"),
        rule({"s": {"user.name|startswith": "user"}, "condition": "s"}, title="all", name="all"),
        rule({"s": {"user.name": "nobody"}, "condition": "s"}, title="none"),
        # Its witness is common, the rest seldom true.
        rule(
            {"s": {"user.name": "user1", "host.name|fieldref": "user.name"}, "condition": "s"},
            title="in vain",
        ),
        {
            "title": "many",
            "level": "low",
            "correlation": {
                "type": "event_count",
                "rules": ["all"],
                "group-by": ["host.name"],
                "timespan": "1h",
                "condition": {"gte": 5},
            },
        },
    )


def test_figures(ruleset: Ruleset) -> None:
    profile = Profile(ruleset)
    for event in EVENTS:
        profile.add(event)
    found = {figures.rule.title: figures for figures in profile.figures.values()}
    assert {title: figures.matches for title, figures in found.items() if figures.matches} == {
        "three": 12,
        "all": 60,
    }
    three = found["three"]
    assert (three.first, three.last) == (EVENTS[3]["@timestamp"], EVENTS[58]["@timestamp"])
    assert len(three.entities) == 2
    assert three.false_rate == 0
    vain = found["in vain"]
    assert (vain.candidates, vain.matches, vain.false_rate) == (12, 0, 1)
    assert "none" not in found
    for figures in found.values():
        assert figures.matches <= figures.candidates <= figures.tested
        assert figures.nanoseconds > 0


def test_it_finds_what_the_engine_finds(ruleset: Ruleset) -> None:
    profile, engine = Profile(ruleset), Engine(ruleset)
    told = 0
    for event in EVENTS:
        profile.add(event)
        told += len(engine.feed(event))
    assert told == sum(f.matches for f in profile.figures.values() if f.rule.output)
    assert not profile.pending


def test_entities_end_somewhere(ruleset: Ruleset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTITIES_KEPT", 3)
    profile = Profile(ruleset)
    for event in EVENTS:
        profile.add(event)
    found = {figures.rule.title: figures for figures in profile.figures.values()}
    assert (len(found["all"].entities), found["all"].more_entities) == (3, True)
    assert (len(found["three"].entities), found["three"].more_entities) == (2, False)


def test_odd_values_are_counted_too(ruleset: Ruleset) -> None:
    profile = Profile(ruleset)
    for event in (
        {"event.dataset": "sshd", "user.name": ["user3", "x"], "host.name": None},
        {"event.dataset": ["sshd"], "user.name": "user3", "@timestamp": 7},
    ):
        profile.add(event)
    (three,) = (f for f in profile.figures.values() if f.rule.title == "three")
    assert three.matches == 2
    assert three.last == "7"


@pytest.mark.slow
def test_of_all_sigma_rules_none_is_blind_that_matches(
    shared: Path, compiled: Path, tmp_path: Path
) -> None:
    names = ("rules", "rules-emerging-threats", "rules-threat-hunting")
    folders = [shared / "data" / "sigma" / name for name in names]
    rules = load(folders, cache_dir=compiled, skip_invalid=True)
    profile, engine = Profile(rules), Engine(rules, everything=True)
    observed = Observed(wanted(rules, rules.rules))
    items = read([str(shared / "data" / "evtx-attack-samples")], Options())
    plain = 0
    for event in events(items, Guard(b"k" * 32, cache_dir=tmp_path), Account()):
        observed.add(event)
        profile.add(event)
        plain += len(engine.match(event))
    found = {number: one for number, one in profile.figures.items() if one.matches}
    assert sum(one.matches for one in found.values()) == plain > 1000
    sights = {v.rule.number: v.sight for v in judge(rules, rules.rules, observed).verdicts}
    assert [found[n].rule.title for n in found if sights[n] is Sight.blind] == []

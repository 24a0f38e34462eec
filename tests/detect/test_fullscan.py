"""Whatever rules and events: the engine finds what a full scan finds, and what Sigma means.

Rules are made up by its grammar; events are made of the rules' own values, in other letters, in
lists, as numbers, and with the letters that lower-casing treats in a way of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from kr_secops.detect.engine import Engine
from kr_secops.detect.fullscan import FullScanEngine
from tests.conformance.reference import ENCODINGS, TEXTUAL, is_true, texts_of
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.rule.ruleset import Ruleset

LAWFUL: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parents[1] / "conformance" / "chains.yml").read_text()
)
LISTS = {"who": ["sari", "Budi", "srv*", "\u212a?"]}
FIELDS = ("user.name", "message", "process.command_line", "source.ip", "source.port")
WORDS = (
    "root", "Kilo", "\u212ailo", "straße", "STRASSE", "ΟΔΟΣ", "οδος", "İd", "ıd", "id", "sS", "\u017f",
    "C:\\Temp\\", "a.b", "[x]", "%who%", "50%", " -enc ", "/c", "\0", "\n", "\U0001f600", "10.1.2.3",
    "2001:db8::1", "5", "22", "-1", "true", "null", "é", "e\u0301", "x" * 40, "", " ",
)  # fmt: skip
WILD = ("*", "?", "\\*", "\\?", "\\\\", "\\\\*", "**", "*?")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("".join)
patterns = st.lists(st.sampled_from((*WORDS, *WILD)), min_size=1, max_size=4).map("".join)


@st.composite
def textual(draw: st.DrawFn) -> list[str]:
    """A walk along the modifiers that may follow each other."""
    chain: list[str] = []
    choices = sorted(TEXTUAL)
    for _ in range(draw(st.sampled_from((0, 1, 1, 1, 2, 2, 3)))):
        chain.append(draw(st.sampled_from(choices)))
        choices = [word for word in LAWFUL[chain[-1]] if word in TEXTUAL] or ["all"]
    return chain


def one_or_list(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=4)


ENCODED = {*ENCODINGS, "base64", "base64offset"}
ENCODABLE = st.sampled_from(("cmd", "ping a", "C:\\x", "IEX(", "50%", "/bin/bash"))
PLAIN = st.sampled_from((None, "", 5, 22, -1, 1.5, 0, True, False))
OTHERS = st.sampled_from(
    (
        ("|re", "^[rR]oo"), ("|re|i", "k[i]lo|stra.e"), ("|re|s", "a.b$"), ("|re", "[0-9]{2,}"),
        ("|re|i", "ıd"), ("|re|m|neq", "^$"), ("|cidr", "10.0.0.0/8"), ("|cidr", "2001:db8::/32"),
        ("|cidr|neq", "10.1.2.3/32"), ("|exists", True), ("|exists", False), ("|gt", 4), ("|lte", 5),
        ("|lt|neq", 22), ("|gte", -1.5), ("|fieldref", "message"), ("|fieldref|contains", "user.name"),
        ("|fieldref|neq", "message"), ("|fieldref|endswith", "user.name"), ("|re|expand", "^%who%"),
    )
)  # fmt: skip


@st.composite
def items(draw: st.DrawFn) -> tuple[str, Any]:
    field = draw(st.sampled_from(FIELDS))
    kind = draw(st.integers(0, 7))
    if kind == 0:
        return field + draw(st.sampled_from(("", "|neq", "|all"))), draw(one_or_list(PLAIN))
    if kind <= 2:
        suffix, value = draw(OTHERS)
        return field + suffix, value
    chain = draw(textual())
    encoded = not ENCODED.isdisjoint(chain)
    return "|".join((field, *chain)), draw(one_or_list(ENCODABLE if encoded else patterns))


maps = st.lists(items(), min_size=1, max_size=2).map(dict)
keywords = st.lists(texts.filter(lambda text: text.strip("*")), min_size=1, max_size=3)
parts = maps | st.lists(maps, min_size=1, max_size=3) | keywords
conditions = st.recursive(
    st.sampled_from(("a", "b", "_c", "1 of them", "all of them", "1 of _*", "not a", "not _c")),
    lambda inner: st.tuples(inner, st.sampled_from(("and", "or", "and not")), inner).map(
        lambda x: f"({x[0]} {x[1]} {x[2]})"
    ),
    max_leaves=4,
)
detections = st.fixed_dictionaries(
    {"a": parts, "b": parts, "_c": parts, "condition": one_or_list(conditions)}
)


def values_of(detection: Any) -> Iterator[str]:
    """Yield texts that fit what *detection* asks for."""
    if isinstance(detection, list):
        for one in detection:
            yield from values_of(one)
    elif isinstance(detection, dict):
        for key, value in detection.items():
            if key != "condition":
                chain = key.split("|")[1:]
                many = value if isinstance(value, list) else [value]
                for one in many:
                    if isinstance(one, dict | list):
                        yield from values_of(one)
                        continue
                    try:
                        yield from texts_of(one, chain, LISTS)
                    except (TypeError, ValueError, KeyError):  # unlawful: it will be refused
                        continue


@st.composite
def events(draw: st.DrawFn, planted: list[str]) -> dict[str, Any]:
    """An event of values that rules ask for, changed a little."""
    alike = st.sampled_from(planted) if planted else texts
    changed = st.tuples(
        st.sampled_from(("", "x", "\u212a", "\n")),
        alike | texts,
        st.sampled_from((str, str.upper, str.lower, str.swapcase, str.title)),
        st.sampled_from(("", "y", " ", "ς")),
    ).map(lambda x: x[0] + x[2](x[1]) + x[3])
    single = alike | changed | texts | PLAIN | st.sampled_from((1.0, 5.0, "5.0", "1e1", 2**60))
    value = single | st.lists(single, max_size=3)
    return draw(st.dictionaries(st.sampled_from(FIELDS), value))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Any], list[dict[str, Any]]]:
    rules = draw(st.lists(detections, min_size=4, max_size=12))
    planted = [text for one in rules for text in values_of(one)][:400]
    return rules, draw(st.lists(events(planted), min_size=6, max_size=16))


def is_settled(event: dict[str, Any]) -> bool:
    """Whether the two readings agree on what such values mean: see ``known`` in the tables."""
    return all(
        value != [] and not (isinstance(value, list) and {*map(str, value)} & {"", "None"})
        for value in event.values()
    ) and not any("Σ" in str(value) for value in event.values())


def judge(
    rules: list[Any], given_events: list[dict[str, Any]], make_rules: Callable[..., Ruleset]
) -> None:
    documents = [rule(one, title=f"rule {i}") for i, one in enumerate(rules)]
    ruleset = make_rules(*documents, lists=LISTS, skip_invalid=True)
    loaded = {int(one.title.split()[1]): one.number for one in ruleset.rules}
    engine, slow = Engine(ruleset), FullScanEngine(ruleset)
    for fields in given_events * 2:  # the second time from what the engine remembers
        event = {"@timestamp": "2026-11-17T01:00:00Z", "event.dataset": "sshd", **fields}
        found = {match.rule.number for match in engine.feed(event)}
        assert found == {match.rule.number for match in slow.feed(event)}
        if is_settled(fields):
            wanted = {n for i, n in loaded.items() if is_true(rules[i], event, LISTS)}
            assert found == wanted, [
                json.dumps(rules[i]) for i, n in loaded.items() if n in found ^ wanted
            ]


QUICK = {
    "deadline": None,
    "database": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


@seed(20261125)
@settings(max_examples=25, **QUICK)
@given(world=worlds())
def test_the_index_loses_nothing(
    world: tuple[list[Any], list[dict[str, Any]]], make_rules: Callable[..., Ruleset]
) -> None:
    judge(*world, make_rules)


@pytest.mark.slow
@seed(20261126)
@settings(max_examples=60, **QUICK)
@given(world=worlds())
def test_the_index_loses_nothing_at_length(
    world: tuple[list[Any], list[dict[str, Any]]], make_rules: Callable[..., Ruleset]
) -> None:
    judge(*world, make_rules)

"""Conditions that cannot be true, cannot be false, or cost every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.rule import SigmaRule

from kr_secops.detect.matcher import Low, holds
from kr_secops.rule.advice.logic import advise as logic
from kr_secops.rule.convert import from_detections
from kr_secops.rule.tree import plain

if TYPE_CHECKING:
    from kr_secops.rule.tree import Node
    from tests.rule.advice.conftest import Advise

NEVER, ALWAYS = "condition: can never be true", "condition: is always true"
CASES = {
    "a filter takes everything away": (
        "  s: {Image|endswith: \\cmd.exe}\n  f: {Image|contains: cmd}\n  condition: s and not f\n",
        [NEVER],
    ),
    "a filter takes something away": (
        "  s: {Image|endswith: \\cmd.exe}\n  f: {Image|contains: temp}\n  condition: s and not f\n",
        [],
    ),
    "against itself": ("  s: {a: b}\n  condition: s and not s\n", [NEVER]),
    "one way or the other": ("  s: {a: b}\n  condition: s or not s\n", [ALWAYS]),
    "nothing and something": (
        "  s: {a: null, b: x}\n  t: {a|contains: y}\n  condition: s and t\n",
        [NEVER],
    ),
    "two numbers at once": ("  s: {EventID: 1}\n  t: {EventID: 3}\n  condition: all of *\n", [NEVER]),
    "lists that share a number": (
        "  s: {EventID: [1, 2]}\n  t: {EventID: [2, 3]}\n  condition: all of *\n",
        [],
    ),
    "a field that holds a list": ("  s: {Data: a}\n  t: {Data: b}\n  condition: s and t\n", []),
    "a part": (
        "  s: {a: b}\n  t:\n    - {c: null}\n  u: {c: d}\n  condition: s or (t and u)\n",
        [],
    ),
    "only what is not": (
        "  f: {a: b}\n  condition: not f\n",
        ["detection: no text is sure to be there"],
    ),
    "only an expression": (
        "  s: {a|re: '[0-9]+'}\n  condition: s\n",
        ["detection: no text is sure to be there"],
    ),
    "a text beside the expression": ("  s: {a|re: '[0-9]+', b: x}\n  condition: s\n", []),
    "a list of the site": ("  s: {a|expand: '%x%'}\n  condition: s\n", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_advice(advise: Advise, name: str) -> None:
    parts, expected = CASES[name]
    found = advise("detection:\n" + parts)
    assert len(found) == len(expected), found
    for text, wanted in zip(found, expected, strict=True):
        assert wanted in text


WORDS = st.sampled_from(["a", "b", "ab", "ba", "aba"])
ITEM = st.dictionaries(
    st.sampled_from(["x", "x|contains", "x|startswith", "x|endswith", "y", "y|contains"]),
    WORDS | st.lists(WORDS, min_size=1, max_size=3) | st.none(),
    min_size=1,
    max_size=2,
)
CONDITION = st.sampled_from(
    ["p and not q", "p or not q", "not p and q", "p and q", "p or q", "not (p or q)", "p and not p"]
)
EVENTS: list[dict[str, Any]] = [
    {name: value for name, value in (("x", x), ("y", y)) if value is not None}
    for x in (None, "a", "b", "ab", "ba", "aba", "zab", "bb")
    for y in (None, "a", "b", "ab", "ba", "aba", "zz")
]


@given(ITEM, ITEM, CONDITION)
def test_what_is_called_certain_is_certain(
    p: dict[str, Any], q: dict[str, Any], condition: str
) -> None:
    for part in (p, q):
        for key in [k for k in part if part[k] is None and "|" in k]:
            part[key] = "a"
    rule = SigmaRule.from_dict(
        {
            "title": "t",
            "logsource": {"product": "x"},
            "detection": {"p": p, "q": q, "condition": condition},
        }
    )
    said = {text for _, text in logic(rule)}
    tree = plain(from_detections(rule.detection, {}))
    outcomes = {_true(tree, event) for event in EVENTS}
    if "can never be true" in said and len(said) == 1 and not _of_a_part(rule):
        assert outcomes == {False}
    if "is always true" in said:
        assert outcomes == {True}


def _of_a_part(rule: SigmaRule) -> bool:
    return all(route[-1] != "condition" for route, _ in logic(rule))


def _true(node: Node, event: dict[str, Any]) -> bool:
    if node[0] == "and":
        return all(_true(part, event) for part in node[1])
    if node[0] == "or":
        return any(_true(part, event) for part in node[1])
    if node[0] == "not":
        return not _true(node[1], event)
    return bool(holds(node, Low(event)))

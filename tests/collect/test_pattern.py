from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kr_secops.collect.catalog import load
from kr_secops.collect.pattern import compile_pattern, literal_prefix

PATTERNS = sorted({kind.text for c in load().values() for kind in (*c.kinds(), *c.forms())})


@pytest.mark.parametrize(
    ("text", "anchors"),
    [
        (r"Failed (?P<a.b>\S+) for invalid user", (" for invalid user",)),
        (r"(?:Invalid|Illegal) user", ("Invalid user", "Illegal user")),
        (r"\d (?:No|Not) such user", (" No such user", " Not such user")),
        (r"(?:Invalid|Illegal)", ("Invalid", "Illegal")),
        (r"(?:Invalid|\d+)", ()),
        (r"\d+", ()),
        (r"a(?:bc)?d", ("a",)),
        (r"a(?:bcd)+e", ("bcd",)),
        (r"(?i)secret", ()),
        (r"(?i:secret) plain", (" plain",)),
        (r"^start", ("start",)),
        (r"naïve text", ("ve text",)),
        (r"a|bcd", ("a", "bcd")),
    ],
)
def test_anchors(text: str, anchors: tuple[str, ...]) -> None:
    assert compile_pattern(text).anchors == anchors


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("Failed password", "Failed password"),
        (r"open\(\) x", "open() x"),
        (r"ab*c", "a"),
        (r"ab{2}", "a"),
        (r"ab?", "a"),
        (r"a|b", ""),
        (r"x(?:a|b)", "x"),
        (r"x[|]b", "x"),
        (r"\d", ""),
        (r"(?:a)", ""),
    ],
)
def test_literal_prefix(text: str, prefix: str) -> None:
    assert literal_prefix(text) == prefix


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(", "no regular expression"),
        ("(a)", "every capturing group names a field"),
        (r"(?P<a.b>x)(?P<a.b>y)", "a.b is captured twice"),
    ],
)
def test_refuses(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        compile_pattern(text)


def test_optional_are_groups_that_may_hold_nothing() -> None:
    pattern = compile_pattern(r"(?P<a.a>.+)(?P<a.b>.*)(?:(?P<a.c>x))?(?:(?P<a.d>y)|(?P<a.e>z))")
    assert pattern.optional == {"a.b", "a.c", "a.d", "a.e"}


@pytest.mark.parametrize("text", PATTERNS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_pattern_matches_has_its_anchor_and_prefix(
    text: str, data: st.DataObject
) -> None:
    pattern = compile_pattern(text)
    line = data.draw(st.from_regex(re.compile(pattern.regex.pattern)))
    found = pattern.regex.search(line)
    if found is None:  # the strategy reads $ and ^ more loosely
        return
    assert not pattern.anchors or any(anchor in found[0] for anchor in pattern.anchors)
    assert found[0].startswith(literal_prefix(text))
    for group, name in enumerate(pattern.fields, 1):
        before, after, widest = pattern.edges[name]
        if found[group] is not None:
            start, end = found.span(group)
            assert line[:start].endswith(before)
            assert line[end:].startswith(after)
            assert end - start <= widest


@pytest.mark.parametrize(
    ("text", "edge"),
    [
        (r'" (?P<a.b>\d{3}) x', ('" ', " x", 3)),
        (r"x(?:-|(?P<a.b>[a-z]{1,9}))y", ("x", "y", 9)),
        (r"port (?P<a.b>\d{1,5})(?: ssh2)?", ("port ", "", 5)),
        (r"(?:to |from )(?P<a.b>\d)$", ("", "", 1)),
        (r"(?:,(?P<a.b>\d))+;", (",", "", 1)),
        (r"a(?: (?P<a.b>b))?c", ("a ", "c", 1)),
        (r"(?P<a.a>(?:x)(?P<a.b>y))z", ("x", "z", 1)),
        (r"abcdefghij(?P<a.b>y)klmnopqrstu", ("cdefghij", "klmnopqr", 1)),
        (r"\t(?P<a.b>y)\xe9", ("", "", 1)),
    ],
)
def test_edges(text: str, edge: tuple[str, str, int]) -> None:
    assert compile_pattern(text).edges["a.b"] == edge


HOSTILE = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from kr_secops.collect.pattern import compile_pattern, literal_prefix
for text in json.load(sys.stdin):
    match, start = compile_pattern(text).regex.match, literal_prefix(text)
    for filler in (" ", "a", "a b ", '"', "\\\\", "; ", "1.1:", "user from ", "a,", "x=y "):
        match(start + filler * (4000 // len(filler)))
"""


def test_hostile_lines_cost_no_more_than_their_length() -> None:
    """Nothing here may backtrack without end: a process with a minute of CPU gets through all."""
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE], input=json.dumps(PATTERNS), text=True, check=False
    )
    assert done.returncode == 0

"""An expression says of a long text what Python says of it, and says it soon."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.detect import search
from kr_secops.detect.engine import Engine
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.rule.ruleset import Ruleset

EXPRESSIONS = (
    *(r"k[i]lo|stra.e", r"^\W*s\s+\d{1,3}$", r"(?i)^ki\w+\.s", r"a.b$", r"(?s)a.b", r"(?m)^s$"),
    *(
        r"[^a-z\s]",
        r"\bk",
        r"\B.s\b",
        r"(?i)[^k]s",
        r"s\S?i",
        r"a{2,}\n",
        r"(?:i|s)+?1$",
        r"(?!k)[a-z]s",
        r"i(?=\W)",
    ),
)
LETTERS = st.sampled_from([*"kKisSaAbB1_ .\n\t", "\u0130", "\u0131", "\u017f", "\u212a", "\u0307",
                           "\x1c", "\x85", "é", "É", "\u0662", "\U0001f600", "\ud800", "\0"])  # fmt: skip
TEXTS = st.lists(LETTERS, max_size=12).map("".join)
PIECES = st.sampled_from([".*", "(?:i\u0307|.)", "i", "a", "b", "\u0307", r"\.", r"\*", r"\\"])


@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from([0, re.IGNORECASE, re.MULTILINE, re.DOTALL, re.IGNORECASE | re.DOTALL]),
    TEXTS,
)
def test_one_go_says_the_same(pattern: str, flags: int, text: str) -> None:
    one_go = search._in_one_go(pattern, flags, text.isascii())
    assert one_go is not None
    assert one_go(text) == (re.compile(pattern, flags).search(text) is not None)


@pytest.mark.parametrize(
    "pattern", ["a{,3}b", r"a\Z", r"(a)\1", r"(?i:a)b", r"\x41", "é+", r"a\v", "(?>a)x"]
)
def test_what_would_be_read_otherwise_is_left_to_python(pattern: str) -> None:
    assert search._in_one_go(pattern, 0, is_ascii=True) is None
    assert search.is_in(pattern, 0, "x" * search.LONG) is False


@given(
    st.lists(PIECES, max_size=7).map("".join),
    st.lists(st.sampled_from("iab\u0307.*\\\n"), max_size=10).map("".join),
)
def test_no_wildcard_is_tried_twice_and_none_is_missed(pattern: str, text: str) -> None:
    plain = re.compile(pattern, re.DOTALL).fullmatch(text)
    assert (search.wildcards(pattern).fullmatch(text) is None) == (plain is None)


@pytest.fixture
def soon() -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("detection", "flood"),
    [
        ({"message|re": r"\+.*\+.*\+.*\+.*\+.*x"}, "+"),
        ({"message|re": r"cmd.+shell.+(?:\$\{?input\}?|noexit).+x"}, "cmd shell input "),
        ({"message": r"*\\\\*\\*\\*$*"}, "\\"),
        ([r"wget *http*\|*sh \|"], "wget http|sh "),
    ],
)
def test_a_flood_does_not_hold_up_a_run(
    make_rules: Callable[..., Ruleset], detection: object, flood: str
) -> None:
    engine = Engine(make_rules(rule({"a": detection, "condition": "a"})))
    about = {"event.dataset": "sshd", "@timestamp": "2026-11-17T01:00:00Z"}
    text = "$x" + flood * (300_000 // len(flood))
    assert engine.match({**about, "message": text}) == []

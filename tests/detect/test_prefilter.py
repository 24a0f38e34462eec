"""The raw prefilter never hides a line that a rule matches, and hides nearly all others."""

from __future__ import annotations

import io
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kr_secops.collect.interface import Shape
from kr_secops.collect.reading import Options, read
from kr_secops.detect.engine import Engine
from kr_secops.selftest import NOW
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset

HEAD = "Nov 17 09:14:02 web-izin "
SSH = (
    "sshd[11]: Failed password for {word} from 203.0.113.9 port 4100 ssh2",
    "sshd[12]: Accepted publickey for {word} from 10.1.1.1 port 22 ssh2",
    "sshd[13]: Invalid user {word} from 203.0.113.9 port 4",
    "sshd[14]: something else about {word}",
    "sudo: {word} : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/{word}",
    "CRON[5]: ({word}) CMD (run {word})",
    "app[7]: {word}",
)
WEB = '203.0.113.9 - {user} [17/Nov/2026:09:14:02 +0700] "GET {target} HTTP/1.1" 200 5 "-" "{word}"'
WORDS = st.sampled_from(
    [
        "root",
        "ROOT",
        "kilo",
        "\u212ailo",
        "Sari",
        "a b",
        "x" * 300,
        "İd",
        "id",
        "50%",
        "r\u00f6\u00f6t",
    ]
)
TARGETS = st.sampled_from(
    ["/", "/a?q=union+select", "/a?q=union%20select", "/?q=un%2569on%2b%73elect", "/%e2%84%aailo",
     "/kilo", "/UNION select", "/a?b=c+d", "/%25%32%37", "/x%0aunion"]
)  # fmt: skip
ITEMS = st.sampled_from(
    [("user.name", "root"), ("user.name|contains", "kilo"), ("event.action", "ssh_login"),
     ("event.outcome", "failure"), ("process.command_line|endswith", "sari"), ("source.ip|cidr", "203.0.113.0/24"),
     ("message|contains", "about"), ("user.name|re", "^[rR]oo"), ("user.name", None), ("user.name", "röö*"),
     ("event.original|contains", "id"), ("process.name|cased", "sshd")]
)  # fmt: skip
WEB_ITEMS = st.sampled_from(
    [("kr.url.decoded|contains", "union select"), ("kr.url.decoded|contains", "union+select"),
     ("kr.url.decoded|contains", "kilo"), ("url.path|contains", "KILO"), ("kr.url.decoded|endswith", "'"),
     ("user_agent.original|contains", "ro"), ("http.response.status_code", 200),
     ("kr.url.decoded|re", "un.on"), ("url.query|exists", True)]
)  # fmt: skip
CONDITIONS = st.sampled_from(["a", "a and b", "a or b", "a and not b", "not a"])


def events(text: str, engine: Engine | None, collector: str | None = None) -> Iterator[Event]:
    """The events of *text*, of the lines only that *engine* chooses."""
    options = Options(
        now=NOW, collector=collector, host="web-izin", zone=UTC, stdin=io.BytesIO(text.encode())
    )
    for item in read(["-"], options):
        lines = None if engine is None else engine.choose(item.key, item.shapes(), item.block.data)
        yield from item.events(lines)


def found(engine: Engine, given_events: Iterator[Event]) -> list[tuple[int, int]]:
    return [(e["log.offset"], m.rule.number) for e in given_events for m in engine.feed(e)]


def compare(ruleset: Ruleset, text: str, collector: str) -> None:
    plain = found(Engine(ruleset), events(text, None, collector))
    engine = Engine(ruleset)
    assert found(engine, events(text, engine, collector)) == plain
    again = Engine(ruleset)  # from the cache
    assert found(again, events(text, again, collector)) == plain


def documents(drawn: list[tuple[Any, Any, str]], **more: Any) -> list[dict[str, Any]]:
    return [
        rule({"a": dict([a]), "b": dict([b]), "condition": c}, title=f"rule {i}", **more)
        for i, (a, b, c) in enumerate(drawn)
    ]


SETTINGS = settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@SETTINGS
@given(
    drawn=st.lists(st.tuples(ITEMS, ITEMS, CONDITIONS), min_size=1, max_size=4),
    lines=st.lists(st.tuples(st.sampled_from(SSH), WORDS), min_size=1, max_size=12),
    service=st.sampled_from([{"product": "linux"}, {"product": "linux", "service": "sshd"}]),
)
def test_syslog_loses_nothing(
    drawn: list[Any], lines: list[Any], service: dict[str, str], make_rules: Callable[..., Ruleset]
) -> None:
    text = "".join(HEAD + line.format(word=word) + "\n" for line, word in lines)
    compare(make_rules(*documents(drawn, logsource=service)), text, "syslog")


@SETTINGS
@given(
    drawn=st.lists(st.tuples(WEB_ITEMS, WEB_ITEMS, CONDITIONS), min_size=1, max_size=4),
    lines=st.lists(st.tuples(TARGETS, WORDS), min_size=1, max_size=12),
)
def test_access_logs_lose_nothing(
    drawn: list[Any], lines: list[Any], make_rules: Callable[..., Ruleset]
) -> None:
    text = "".join(WEB.format(target=t, word=word, user="-") + "\n" for t, word in lines)
    compare(
        make_rules(*documents(drawn, logsource={"category": "webserver"})), text, "nginx_access"
    )


SHAPE = Shape(
    anchors=("Failed ", "Refused "),
    constants={"event.dataset": "sshd", "event.action": "login"},
    fields=frozenset({"user.name", "message"}),
    derived=frozenset({"kr.score"}),
)
DATA = b"Failed for sari\nquiet line\nRefused for ROOT\nRefused to \xe2\x84\xaailo\nFailed kilo"


@pytest.mark.parametrize(
    ("detection", "lines"),
    [
        ({"s": {"user.name": "root"}, "condition": "s"}, [27]),
        ({"s": {"user.name": "root", "event.action": "login"}, "condition": "s"}, [27]),
        ({"s": {"event.action": "logout"}, "condition": "s"}, []),
        ({"s": {"source.ip": "10.0.0.1"}, "condition": "s"}, []),
        ({"s": {"event.action": "login"}, "condition": "s"}, [0, 27, 62]),
        ({"s": {"kr.score|gt": 5}, "condition": "s"}, [0, 27, 62]),
        ({"s": {"user.name": "kilo"}, "condition": "s"}, [62]),
        ({"s": {"user.name": "root"}, "f": {"message": "x"}, "condition": "s and not f"}, [27]),
        ({"s": {"user.name|contains|all": ["failed", "sari"]}, "condition": "s"}, [0]),
    ],
)
def test_which_lines_are_chosen(
    detection: dict[str, Any], lines: list[int], make_rules: Callable[..., Ruleset]
) -> None:
    # The line with the Kelvin sign, at 44, is always taken where text is looked for.
    ruleset = make_rules(rule(detection))
    chosen = Engine(ruleset).choose("probe", (SHAPE,), DATA)
    assert chosen is not None
    assert set(chosen) - {44} == set(lines)
    assert Engine(ruleset).choose("probe", (SHAPE,), DATA) == chosen


EDGED = Shape(
    constants={"event.dataset": "sshd"},
    fields=frozenset({"http.response.status_code", "source.port", "url.original"}),
    edges={
        "http.response.status_code": ('" ', " ", 3),
        "source.port": (":", " ", 5),
        "url.original": (" ", " HTTP/", 99),
    },
)
REQUESTS = b"""GET /a HTTP/1.1" 404 1 :80 x
GET /404 HTTP/1.1" 200 404 :080 x
GET http://404 HTTP/1.1" 200 80 :5 +http://b
"""


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        ({"http.response.status_code": 404}, [0]),
        ({"http.response.status_code|contains": "404"}, [0, 29, 63]),
        ({"http.response.status_code|endswith": "4"}, [0, 29, 63]),
        ({"url.original|startswith": "http://"}, [63]),
        ({"url.original": "/A"}, [0]),
        # A port is a number, and may be written with zeros before it.
        ({"source.port": 80}, [0, 29, 63]),
        ({"source.port|startswith": "8"}, [0, 29, 63]),
    ],
)
def test_what_stands_around_a_value_is_looked_for(
    item: dict[str, Any], lines: list[int], make_rules: Callable[..., Ruleset]
) -> None:
    ruleset = make_rules(rule({"s": item, "condition": "s"}))
    chosen = Engine(ruleset).choose("probe", (EDGED,), REQUESTS)
    assert (chosen if chosen is not None else [0, 29, 63]) == lines


def test_what_says_nothing_of_its_lines_is_read_whole(make_rules: Callable[..., Ruleset]) -> None:
    engine = Engine(make_rules(rule({"s": {"event.action": "login"}, "condition": "s"})))
    assert engine.choose("unknown", (), DATA) is None
    bare = Shape(constants={"event.dataset": "sshd", "event.action": "login"})
    assert engine.choose("bare", (bare,), DATA) is None


def test_privacy_is_asked_for_only_where_a_rule_asks(make_rules: Callable[..., Ruleset]) -> None:
    private = rule({"s": {"kr.pii.types": "nik"}, "condition": "s"})
    engine = Engine(make_rules(private))
    assert engine.wants_privacy("probe", (SHAPE,))
    assert engine.choose("probe", (SHAPE,), DATA) == []
    assert not engine.wants_privacy("other", (Shape(constants={"event.dataset": "sudo"}),))

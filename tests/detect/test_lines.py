"""No line is lost: every shipped collector, read whole and read as the raw prefilter chooses.

The lines are those of the collectors' own cases, and the same lines spoilt: other case, letters that
lower-case to ASCII, percent signs, NULs, bytes that are no text. The rules are made of what the
lines say.
"""

from __future__ import annotations

import io
import random
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kr_secops import content
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.collect.selftest import NOW
from kr_secops.detect.engine import Engine
from kr_secops.rule.ruleset import load
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset

COLLECTORS = sorted(
    path for path in content.shipped("collectors").glob("*.yml") if path.stem != "network"
)
EVERYWHERE = "name: every event\npriority: 10\ntransformations: []\n"
"""A pipeline that fits every rule, so that any rule is put to the lines of any collector."""
OURS = ("@timestamp", "ecs.version", "log.file.path", "log.offset")
RULES = 40


def lines_of(collector: Path) -> list[bytes]:
    path = collector.with_name(f"{collector.stem}.test.yaml")
    cases = yaml.safe_load(path.read_text("utf-8")) if path.exists() else []
    return [line.encode() for case in cases for line in case["lines"]]


def spoilt(line: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(line) + 1)
    return dice.choice(
        (
            line.upper(),
            line.swapcase(),
            line.replace(b"k", "\u212a".encode()),
            line.replace(b"i", "İ".encode()).replace(b"s", "ſ".encode()),
            line.replace(b"e", b"%65").replace(b"o", b"%256f"),
            line[:at] + b"\0" + line[at:],
            line[:at] + b"\xff\xfe" + line[at:],
            line[:at] + b"%zz%" + line[at:],
            line[:at],
            line + b"\r",
        )
    )


def events(data: bytes, collector: str, engine: Engine | None) -> Iterator[Event]:
    """The events of *data*, of the lines only that *engine* chooses."""
    options = Options(
        now=NOW, collector=collector, host="web", zone=UTC, year=2026, stdin=io.BytesIO(data)
    )
    for item in read(["-"], options):
        if isinstance(item, Reading):
            lines = None
            if engine is not None and item.verbatim:
                lines = engine.choose(item.key, item.shapes(), item.block.data)
            yield from (one for one in item.events(lines) if isinstance(one, dict))


def item(event: Event, dice: random.Random) -> dict[str, Any]:
    """Return something that is true of *event*, or was, in the words of Sigma."""
    names = [name for name in event if name not in OURS]
    name = dice.choice(names)
    value = event[name]
    value = dice.choice(value) if isinstance(value, list) and value else value
    if not isinstance(value, str) or not value:
        return dice.choice(({name: value}, {f"{name}|exists": True}, {f"{name}|neq": value}))
    start, end = sorted(dice.choices(range(len(value) + 1), k=2))
    piece = value[start : max(end, start + 1)]
    plain = "".join(f"\\{c}" if c in "*?\\" else c for c in piece)
    whole = "".join(f"\\{c}" if c in "*?\\" else c for c in value)
    return dice.choice(
        (
            {name: whole}, {name: whole.upper()}, {name: f"{whole[:2]}*"}, {name: f"?{whole[1:]}"},
            {f"{name}|contains": plain}, {f"{name}|contains": plain.swapcase()},
            {f"{name}|startswith": whole[: end or 1].rstrip("\\")}, {f"{name}|endswith": plain},
            {f"{name}|re": "".join(f"[{c}]" if c.isalnum() else "." for c in piece)},
            {f"{name}|re|i": "".join(c if c.isalnum() else "." for c in piece)},
            {f"{name}|cased": whole}, {f"{name}|exists": True}, {f"{name}|neq": whole},
            {f"{name}|contains|all": [plain, whole[:1]]}, {name: [whole, "nothing-like-it"]},
            {"|contains": plain}, {"|all": [plain, whole[-1:]]}, {name: None},
        )
    )  # fmt: skip


def made_up(found: list[Event], dice: random.Random) -> Iterator[dict[str, Any]]:
    for i in range(RULES):
        event, other = dice.choice(found), dice.choice(found)
        a = item(event, dice)
        b = item(event if dice.random() < 0.7 else other, dice)
        if dice.random() < 0.5:
            a = {"event.dataset": event.get("event.dataset"), **a}
        c = item(other, dice)
        condition = dice.choice(
            ("a", "a and b", "a or b", "a and not b", "a and (b or c)", "a and not (b and c)")
        )
        yield rule({"a": a, "b": b, "c": c, "condition": condition}, title=f"rule {i}")


def found_in(engine: Engine, given_events: Iterator[Event]) -> list[tuple[int, int]]:
    return [(one["log.offset"], m.rule.number) for one in given_events for m in engine.feed(one)]


def judge(collector: Path, seed: int, make: Callable[..., Ruleset], extra: list[Ruleset]) -> int:
    dice = random.Random(f"{collector.stem} {seed}")
    lines = lines_of(collector)
    lines += [spoilt(line, dice) for line in dice.choices(lines, k=40)]
    data = b"".join(line.replace(b"\n", b"") + b"\n" for line in lines)
    whole = list(events(data, collector.stem, None))
    if not whole:
        return 0
    hits = 0
    for ruleset in (make(*made_up(whole, dice)), *extra):
        expected = found_in(Engine(ruleset), iter(whole))
        engine = Engine(ruleset)
        assert found_in(engine, events(data, collector.stem, engine)) == expected
        hits += len(expected)
    return hits


@pytest.fixture
def make(tmp_path: Path, make_rules: Callable[..., Ruleset]) -> Callable[..., Ruleset]:
    pipeline = tmp_path / "ecs-everywhere.yml"
    pipeline.write_text(EVERYWHERE)
    return lambda *rules: make_rules(*rules, pipelines=[pipeline], skip_invalid=True)


@pytest.fixture(scope="module")
def shipped(compiled: Path) -> Ruleset:
    return load(None, cache_dir=compiled, skip_invalid=True)


@pytest.mark.parametrize("collector", COLLECTORS, ids=lambda path: path.stem)
def test_a_collector_loses_no_line(
    collector: Path, make: Callable[..., Ruleset], shipped: Ruleset
) -> None:
    assert judge(collector, 1, make, [shipped]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("collector", COLLECTORS, ids=lambda path: path.stem)
def test_a_collector_loses_no_line_at_length(
    collector: Path, seed: int, make: Callable[..., Ruleset]
) -> None:
    assert judge(collector, seed, make, []) > 0

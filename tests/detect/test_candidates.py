"""What is remembered of values ends somewhere, whatever the values are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.detect.candidates import LONGEST, REMEMBERED, ROOM
from kr_secops.detect.engine import Engine
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.rule.ruleset import Ruleset


def characters(key: Any) -> int:
    if isinstance(key, str):
        return len(key)
    return sum(map(characters, key)) if isinstance(key, tuple) else 0


@pytest.mark.parametrize(
    "fresh",
    [
        lambda i: f"{i:09}" + "x" * 10_000,
        lambda i: [f"{i:09}" + "x" * 5_000, "y" * 5_000],
        lambda i: [f"{i:09}" + "x" * LONGEST, "evil"],
        lambda i: [f"{i:03}"] * 2_000,
        lambda i: i,
    ],
    ids=["texts", "rows", "long rows", "rows of many", "numbers"],
)
def test_memory_of_values_is_bounded(
    fresh: Callable[[int], Any], make_rules: Callable[..., Ruleset]
) -> None:
    engine = Engine(make_rules(rule({"a": {"message|contains": "evil"}, "condition": "a"})))
    for i in range(300):
        value = fresh(i)
        found = engine.match({"event.dataset": "sshd", "message": value})
        assert bool(found) == (isinstance(value, list) and "evil" in value)
    for lists, _ in engine._index._tables.values():
        for values in lists:
            assert sum(map(characters, values)) <= ROOM
            assert len(values) <= REMEMBERED

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.network.stream import HELD, Stream


def run(segments: list[tuple[int, bytes]]) -> list[bytes | int]:
    stream = Stream(1)
    return [piece for start, data in segments for piece in stream.add(start, data, len(data))]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([(1, b"hey "), (5, b"world")], [b"hey ", b"world"]),
        ([(5, b"world"), (1, b"hey ")], [b"hey ", b"world"]),
        ([(1, b"hey "), (1, b"hey "), (5, b"world")], [b"hey ", b"world"]),
        ([(1, b"hey "), (3, b"y world")], [b"hey ", b"world"]),
        ([(5, b"world")], []),
        ([(1 << 31, b"far"), (1, b"hey")], [b"hey"]),
    ],
)
def test_order(segments: list[tuple[int, bytes]], expected: list[bytes | int]) -> None:
    assert run(segments) == expected


def test_what_the_receiver_has_and_we_have_not_is_lost() -> None:
    stream = Stream(1)
    assert list(stream.add(5, b"world", 5)) == []
    assert list(stream.skip(10)) == [4, b"world"]


def test_the_capture_cut_the_packet() -> None:
    assert list(Stream(1).add(1, b"hey", 10)) == [b"hey", 7]


def test_memory_is_bounded_when_the_beginning_never_comes() -> None:
    stream = Stream(1)
    given_up = [p for i in range(2 * HELD) for p in stream.add(10 + 2 * i, b"x", 1)]
    assert given_up[0] == 9
    assert len(stream._early) <= HELD


@given(st.binary(min_size=1, max_size=200), st.randoms(use_true_random=False), st.data())
def test_any_cut_in_any_order_gives_the_text_back(
    text: bytes, shuffle: Any, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=20)) | {0, len(text)})
    segments = [(1 + a, text[a : b + 3]) for a, b in itertools.pairwise(cuts)]
    shuffle.shuffle(segments)
    assert b"".join(p for p in run(segments) if isinstance(p, bytes)) == text

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.parsers.csv import columns
from kr_secops.collect.parsers.keyvalue import pairs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a=1 b="x y" c=', {"a": "1", "b": '"x y"', "c": ""}),
        ("a=1, b=2", {"a": "1", "b": "2"}),
        ("a='x=1 y=2' b=3", {"a": "'x=1 y=2'", "b": "3"}),
        ("a=1 a=2", {"a": "1"}),
        ("a[0]=x a-b=y", {"a[0]": "x", "a-b": "y"}),
        ('a="open', {"a": '"open'}),
        ("nothing", {}),
    ],
)
def test_pairs(text: str, expected: dict[str, str]) -> None:
    assert pairs(text) == expected


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True),
    )
)
def test_pairs_are_read_back(values: dict[str, str]) -> None:
    assert pairs(" ".join(f"{key}={value}" for key, value in values.items())) == values


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('a,"b ""c""",', ["a", 'b "c"', ""]),
        ('a,"b\nc",d', ["a", "b\nc", "d"]),
        ('a,"b', None),
        ('a,"b"x', None),
        ("a\nb", None),
        ("", None),
    ],
)
def test_columns(record: str, expected: list[str] | None) -> None:
    assert columns(record) == expected

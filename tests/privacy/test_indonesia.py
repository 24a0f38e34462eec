"""Checks against published examples and edges."""

from __future__ import annotations

from datetime import date

import pytest

from kr_secops.privacy import indonesia
from kr_secops.privacy.indonesia import NO, PLAUSIBLE, STRONG


def test_regions_are_todays_and_earlier_ones() -> None:
    codes = indonesia.regions()
    assert len(codes) == 7879
    assert {b"611201", b"611209", b"910731", b"110101"} <= codes
    assert not {b"611210", b"611299", b"200101"} & codes


@pytest.mark.parametrize(
    ("check", "value", "verdict"),
    [
        (indonesia.nik, b"6112014107900001", STRONG),
        (indonesia.nik, b"6112017107900001", STRONG),
        (indonesia.nik, b"6112017207900001", NO),
        (indonesia.nik, b"6112018107900001", NO),
        (indonesia.nik, b"6112012902000001", STRONG),
        (indonesia.nik, b"6112012902010001", NO),
        (indonesia.nik, b"6112016902040001", STRONG),
        (indonesia.nik, b"6112010013900001", NO),
        (indonesia.nik, b"6102991708900001", PLAUSIBLE),
        (indonesia.nik, b"6112011708903001", PLAUSIBLE),
        (indonesia.kk, b"6112011708100001", STRONG),
        (indonesia.kk, b"6112015708100001", NO),
        # The published example of the check digit: 65389112 → 7.
        (indonesia.npwp15, b"65.389.112.7-701.000", STRONG),
        (indonesia.npwp15, b"653891127701000", PLAUSIBLE),
        (indonesia.npwp15, b"653891128701000", NO),
        (indonesia.npwp16, b"0653891127701000", PLAUSIBLE),
        (indonesia.mobile, b"0811123456", STRONG),
        (indonesia.mobile, b"0810123456", NO),
        (indonesia.mobile, b"08111234567890", NO),
        (indonesia.landline, b"021123456", PLAUSIBLE),
        (indonesia.email, b"noreply7@kuburayakab.go.id", PLAUSIBLE),
        (indonesia.email, b"siti@sub.example.org", NO),
        (indonesia.email, b"a..@b..id", NO),
    ],
)
def test_checks(check: object, value: bytes, verdict: int) -> None:
    assert check(value)[0] == verdict  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (b"0812 3456 7890 12", 14),
        (b"081234567890 12", 12),
        (b"0812-345-678 2026", 12),
        (b"0812%203456%207890", 18),
        (b"%2B62812%203456%207890", 22),
    ],
)
def test_a_number_ends_where_it_is_whole(value: bytes, length: int) -> None:
    assert indonesia.mobile(value) == (STRONG, length)


@pytest.mark.parametrize(
    ("number", "child"),
    [
        ("6112011711080001", True),
        ("6112011711090001", True),
        ("6112011811080001", True),
        ("6112011611080001", False),
        ("6112015711080001", True),
        ("6112011711270001", False),
    ],
)
def test_children(number: str, child: bool) -> None:
    assert indonesia.is_child(number, date(2026, 11, 16)) is child

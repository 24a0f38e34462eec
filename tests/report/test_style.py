"""The page's colours can be told from their ground (WCAG 2 AA), by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kr_secops.report import html

STYLE = (Path(html.__file__).parent / "templates" / "report.css").read_text()
SCHEMES = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in STYLE.split("@media")[:2]]
INKS = ["ink", "soft", "accent", "critical", "high", "on-medium", "on-low", "on-informational"]
PAIRS = [
    *((ink, "paper") for ink in INKS),
    ("ink", "sheet"),
    ("soft", "sheet"),
    ("accent", "sheet"),
]
PAIRS += [("ink", "accent-soft"), ("accent", "accent-soft")]
BARS = ["critical", "high", "medium", "low"]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_text_can_be_read(scheme: dict[str, str]) -> None:
    pale = {pair: contrast(scheme[pair[0]], scheme[pair[1]]) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in pale.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_bars_stand_out(scheme: dict[str, str]) -> None:
    pale = {bar: contrast(scheme[bar], scheme["paper"]) for bar in BARS}
    assert {bar: ratio for bar, ratio in pale.items() if ratio < 3} == {}


def test_the_page_names_no_other_place() -> None:
    assert not re.search(r"url\(|@import|https?:", STYLE)

"""Every word a report uses stands in the table, in both languages, and no other does."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from kr_secops.finding import Level, Status
from kr_secops.report import words
from kr_secops.report.words import table

ROOM = Path(words.__file__).parent
SOURCES = "\n".join(
    path.read_text() for path in [*ROOM.glob("*.py"), *(ROOM / "templates").glob("*.j2")]
)
COMPUTED = {
    *(f"level_{level.name}" for level in Level),
    *(f"status_{status.value}" for status in Status),
    *(f"verdict_{level.name}" for level in Level if level >= Level.low),
    *(f"column_{name}" for name in ("entity", "host", "techniques", "controls", "recommendation")),
    *(f"{thing}_n" for thing in ("finding", "event", "host", "rule", "source", "line", "document")),
    *(f"op_{kind}" for kind in ("and", "or", "not")),
}


def test_both_languages_say_everything() -> None:
    indonesian, english = table("id"), table("en")
    assert all(indonesian.values())
    assert all(english.values())
    names = {
        key: {n for _, n, _, _ in Formatter().parse(text) if n} for key, text in english.items()
    }
    other = {
        key: {n for _, n, _, _ in Formatter().parse(text) if n} for key, text in indonesian.items()
    }
    assert names == other


@pytest.mark.parametrize("key", sorted(table("id")))
def test_no_word_is_idle(key: str) -> None:
    assert key in COMPUTED or re.search(rf"\b{key}\b", SOURCES)

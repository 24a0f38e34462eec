"""Values written so that Sigma reads them to the letter."""

from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sigma.types import SigmaString

from kr_secops.tune.atoms import Atom
from kr_secops.tune.cover import Selection
from kr_secops.tune.document import escaped, write


@given(st.text(st.sampled_from("\\*?ab%/ :#'\"é"), min_size=1, max_size=12))
def test_a_value_means_itself(text: str) -> None:
    assert tuple(SigmaString(escaped(text)).s) == (text,)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("C:\\Windows\\x.exe", "C:\\Windows\\x.exe"),  # as people write it
        ("\\\\server\\share", "\\\\\\\\server\\\\share"),
        ("a?b", "a\\?b"),
        ("/opt/", "/opt/"),
        ("C:\\Apps\\", "C:\\Apps\\"),
    ],
)
def test_escaped(text: str, written: str) -> None:
    assert escaped(text) == written


@given(st.text(min_size=1, max_size=30).filter(str.isprintable))
def test_yaml_reads_back_what_was_meant(text: str) -> None:
    selection = Selection((Atom("user.name", "", text),), 1, 0)
    made = write(
        {"title": "t"}, "id", [(selection, text)], lambda _: "User", text, date(2026, 1, 2)
    )
    read = yaml.safe_load(made)
    assert tuple(SigmaString(str(read["filter"]["selection"]["User"])).s) == (text,)
    assert read["kr"] == {"reason": text, "expires": date(2026, 1, 2)}
    assert read["filter"]["condition"] == "not selection"

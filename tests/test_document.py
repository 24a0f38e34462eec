"""YAML with positions: what is refused, and that every complaint names its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.document import Model, did_you_mean, examine, read, validate
from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from pathlib import Path

COMPLAINTS = {
    "a doubled key": (
        "title: a\ntitle: b\n",
        ["f.yml:2:1: title: this key stands here a second time"],
    ),
    "a doubled key deep inside": (
        "a:\n  - b: 1\n    b: 2\n",
        ["f.yml:3:5: b: this key stands here a second time"],
    ),
    "an alias": (
        "a: &x [1]\nb: *x\n",
        ["f.yml:1:4: aliases and nesting beyond 50 levels are not used here"],
    ),
    "a merge key": ("a:\n  <<: {b: 1}\n", ["f.yml:2:3: merge keys are not used here"]),
    "a word of truth of YAML 1.1": (
        "active: no\n",
        ["f.yml:1:9: 'no' could mean a truth value; write true or false, or quote it"],
    ),
    "an octal number": (
        "mode: 0644\n",
        ["f.yml:1:7: '0644' would be read as another number; quote it"],
    ),
    "a number in sixties": (
        "at: 1:30\n",
        ["f.yml:1:5: '1:30' would be read as another number; quote it"],
    ),
    "an indenting tab": ("a:\n\tb: 1\n", ["f.yml:2:1: a tab indents this line; YAML wants spaces"]),
    "a tab after the colon": ("a:\tb\n", ["f.yml:1:3: a tab stands here; YAML wants spaces"]),
    "a date that is none": (
        "date: 2026-02-30\n",
        ["f.yml:1:7: '2026-02-30' cannot be read as timestamp"],
    ),
    "an object tag": (
        "a: !!python/object:os.system x\n",
        ["f.yml:1:4: 'x' cannot be read as os.system"],
    ),
    "a syntax error": ("a: [1\nb: 2\n", ["f.yml:2:2: did not find expected ',' or ']'"]),
}


@pytest.mark.parametrize(("text", "expected"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_refuses(text: str, expected: list[str]) -> None:
    assert examine("f.yml", text.encode())[1] == expected
    with pytest.raises(ContentError) as caught:
        read("f.yml", text.encode())
    assert caught.value.complaints == expected


def test_all_complaints_come_at_once_in_order() -> None:
    text = "a: yes\na: 2\nb:\n\tc: 010\n"
    assert [complaint.split(": ")[0] for complaint in examine("f.yml", text.encode())[1]] == [
        "f.yml:1:4",
        "f.yml:2:1",
        "f.yml:4:1",
        "f.yml:4:8",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"a: 'no'\nb: true\nc: 10\nd: 2.5\n", {"a": "no", "b": True, "c": 10, "d": 2.5}),
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        (b"a: |\n  x\ty\n  \tz\n", {"a": "x\ty\n\tz\n"}),
        (b'a: "x\ty" # tab\there\n', {"a": "x\ty"}),
        (b"a: ~\nb:\n", {"a": None, "b": None}),
    ],
)
def test_reads(text: bytes, value: object) -> None:
    (document,) = read("f.yml", text)
    assert document.value == value


def test_several_documents_keep_their_places() -> None:
    first, second = read("f.yml", b"a: 1\n---\nb:\n  - c\n")
    assert (first.place(("a",)), second.place(("b", 0))) == ("f.yml:1:1", "f.yml:4:5")
    assert second.place(("b", 7, "none")) == "f.yml:3:1"


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"a: \xff\n", "f.yml:1:4: byte 0xff is not UTF-8"),
        (b"a: 1\nb: x\x01\n", "f.yml:1:1: control characters are not allowed"),
        (b"a" * (9 << 20), "f.yml:1:1: larger than 8 MiB"),
    ],
)
def test_refuses_bytes(raw: bytes, complaint: str) -> None:
    assert complaint.split(": ", 1)[1] in examine("f.yml", raw)[1][0]


def test_a_missing_file_is_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "none.yml"
    assert examine(path)[1] == [f"{path}:1:1: cannot be read: No such file or directory"]


def test_a_nest_of_brackets_ends_soon() -> None:
    assert examine("f.yml", b"[" * 300 + b"]" * 300)[1]


class Part(Model):
    level: str
    count: int = 0


class Whole(Model):
    title: str
    parts: tuple[Part, ...] = ()


def test_a_model_names_each_mistake_and_guesses() -> None:
    (document,) = read("f.yml", b"titel: x\nparts:\n  - level: a\n    count: many\n  - cuont: 1\n")
    with pytest.raises(ContentError) as caught:
        validate(document, Whole)
    assert caught.value.complaints == [
        "f.yml:1:1: title: is missing",
        "f.yml:4:5: count: input should be a valid integer, unable to parse string as an integer",
        "f.yml:5:5: level: is missing",
        "f.yml:5:5: cuont: unknown key (did you mean 'count'?)",
        "f.yml:1:1: titel: unknown key (did you mean 'title'?)",
    ]


def test_a_far_word_gets_no_guess() -> None:
    assert did_you_mean("zzz", ["level"]) == ""


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plain)
def test_what_yaml_writes_is_read_back(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_style='"').encode()
    documents, complaints = examine("f.yml", text)
    if not complaints:
        assert documents[0].value == value
    else:
        assert all("aliases" in complaint for complaint in complaints)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_documents_or_complaints(raw: bytes) -> None:
    documents, complaints = examine("f.yml", raw)
    assert isinstance(documents, list)
    assert all(complaint.startswith("f.yml:") for complaint in complaints)


def test_every_public_rule_is_read(shared: Path) -> None:
    paths = sorted((shared / "data" / "sigma").glob("rules*/**/*.yml"))
    assert len(paths) == 3754
    assert not [complaint for path in paths for complaint in examine(path)[1]]

"""Documents come out whole, whatever stands between them and however the stream is cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr_secops.collect.inputs import joined
from kr_secops.collect.inputs.cut import cut_lines
from kr_secops.collect.inputs.joined import cut_documents, cut_xml, cutter
from kr_secops.collect.interface import Block, Position, Source
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Source("s")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
DOCUMENTS = st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), max_size=8)
BETWEEN = st.sampled_from(["", "\n", "\r\n", ",", " ,\n", "\n\n", "Record 7\n"])


def place(offset: int, *, last: bool) -> Position:
    del last
    return Position("k", offset)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def run(
    cut: Callable[..., Any], data: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Any], list[Rejected], int]:
    found: list[Any] = []
    rejected: list[Rejected] = []
    end = 0
    with monkeypatch.context() as patch:
        patch.setattr(joined, "BLOCK", 64)
        for item in cut(pieces(data, size), SOURCE, place):
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                assert isinstance(item, Block)
                found += [orjson.loads(line) for line in item.data.splitlines()]
                end = item.position.offset
    return found, rejected, end


@settings(max_examples=150, deadline=None)
@given(
    documents=DOCUMENTS,
    between=BETWEEN,
    indent=st.sampled_from([None, 1]),
    size=st.integers(1, 300),
)
def test_json(documents: list[Any], between: str, indent: int | None, size: int) -> None:
    texts = [json.dumps(one, indent=indent, ensure_ascii=False) for one in documents]
    data = between.join(texts).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        found, rejected, end = run(cut_documents, data, size, patch)
    assert (found, rejected, end) == (documents, [], len(data))


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text("ab<>&\"'é\n ]", max_size=30), max_size=6), size=st.integers(1, 300))
def test_xml(texts: list[str], size: int) -> None:
    events = "".join(
        f"<Event><System><Channel>c</Channel></System><EventData><Data Name='a'>{escape(text)}"
        "</Data></EventData></Event>\n"
        for text in texts
    )
    data = f'<?xml version="1.0"?>\n<Events>{events}</Events>'.encode()
    with pytest.MonkeyPatch.context() as patch:
        found, rejected, end = run(cut_xml, data, size, patch)
    assert [one["Event"]["EventData"]["a"] for one in found] == texts
    assert (rejected, end) == ([], len(data))


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300) | st.text('{}[]",:\\ab1 \n<>/Event', max_size=200).map(str.encode),
       size=st.integers(1, 100))  # fmt: skip
def test_noise_ends(data: bytes, size: int) -> None:
    for cut in (cut_documents, cut_xml):
        with pytest.MonkeyPatch.context() as patch:
            _, rejected, end = run(cut, data, size, patch)
        assert end == len(data)
        assert all(0 <= one.offset < len(data) for one in rejected)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"a": 1}\n{"a": 2}\n', cut_lines),
        (b'{"a": 1}', cut_lines),
        (b'{"a": 1}{"a": 2}', cut_documents),
        (b'{\r\n "a": 1\r\n}\r\n', cut_documents),
        (b'\xef\xbb\xbf[\n {"a": 1}\n]', cut_documents),
        (b'Record 1\n{\n"a": 1}', cut_documents),
        (b"[2026-11-17 09:14:02] production.ERROR: x\n", cut_lines),
        (b"{broken\n", cut_lines),
        (b"<Events><Event xmlns='x'><System>", cut_xml),
        (b"<Event><System>", cut_xml),
        (b"<html><body>", cut_lines),
        (b"<34>Nov 17 09:14:02 host sshd[1]: x\n", cut_lines),
        (b"", cut_lines),
    ],
)
def test_the_beginning_says_how_to_cut(head: bytes, expected: object) -> None:
    assert cutter(head) is expected


def test_a_document_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "LONGEST", 1000)
    data = b'{"a": "' + b"x" * 5000 + b'\n{"b": 1}\n'
    found, rejected, _ = run(cut_documents, data, 100, monkeypatch)
    assert found == [{"b": 1}]
    assert rejected

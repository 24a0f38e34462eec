from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kr_secops.store import manifest
from kr_secops.store.manifest import Segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.store.manifest import Entry


def chain(count: int) -> list[Entry]:
    segments = [
        Segment(f"sshd/2026-11-17/{n:06}-00.ndjson.zst", "sshd", "2026-11-17", "ab", n, n, "a", "b")
        for n in range(count)
    ]
    return list(manifest.link(segments, None))


def test_a_chain_goes_on_where_it_ended() -> None:
    whole = chain(5)
    assert not list(manifest.broken(whole))
    assert list(manifest.link([e.segment for e in whole[2:]], whole[1])) == whole[2:]
    assert [entry.number for entry in whole] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("damage", "problems"),
    [
        (lambda e: [*e[:2], *e[3:]], ["entry 3 of the manifest is missing"]),
        (lambda e: e[1:], ["entry 1 of the manifest is missing"]),
        (lambda e: [e[0], replace(e[1], hash="0" * 64), *e[2:]], ["2 .* edited", "3 does not"]),
        (
            lambda e: [e[0], replace(e[1], segment=replace(e[1].segment, sha256="cd")), *e[2:]],
            ["entry 2 of the manifest was edited"],
        ),
        (lambda e: [e[0], *manifest.link([e[3].segment], e[0]), *e[2:]], ["3 does not follow"]),
    ],
    ids=["one missing", "the first missing", "hash", "content", "rewritten"],
)
def test_a_broken_chain_is_told(
    damage: Callable[[list[Entry]], list[Entry]], problems: list[str]
) -> None:
    told = [problem for _, problem in manifest.broken(damage(chain(5)))]
    assert len(told) == len(problems)
    for text, pattern in zip(told, problems, strict=True):
        assert re.search(pattern, text)


def test_the_exported_file_grows_by_what_is_new(tmp_path: Path) -> None:
    path, whole = tmp_path / "manifest.ndjson", chain(5)
    manifest.extend(whole[:2], path)
    manifest.extend(whole[2:], path)
    assert manifest.read(path) == whole
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [1, 100, 500])
def test_a_torn_file_is_mended(tmp_path: Path, cut: int) -> None:
    path, whole = tmp_path / "manifest.ndjson", chain(5)
    manifest.export(whole[:3], path)
    path.write_bytes(path.read_bytes()[:-cut])
    torn = path.read_bytes()
    manifest.extend(whole[3:], path)
    assert path.read_bytes() == torn, "nothing may follow a torn line"
    manifest.export(whole, path)
    assert manifest.read(path) == whole


def test_a_file_that_says_something_else_is_left_alone(tmp_path: Path) -> None:
    path, whole = tmp_path / "manifest.ndjson", chain(3)
    manifest.export(whole, path)
    edited = path.read_bytes().replace(b'"count":1', b'"count":7')
    path.write_bytes(edited)
    manifest.export(whole, path)
    assert path.read_bytes() == edited

"""Descriptions: every complaint placed, the site's wins, the cache never lies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kr_secops.errors import ContentError
from kr_secops.privacy import description
from kr_secops.privacy.identifiers import Finder
from kr_secops.privacy.reading import read

STAFF = """\
id: staff
title: {en: Staff number, id: Nomor pegawai}
patterns:
  - pattern: <start>KR[0-9]{6}<end>
    check: any
labels: [pegawai]
confidence:
  labelled: {plausible: 0.9, strong: 0.9}
  bare: {plausible: 0.6, strong: 0.6}
  lookalike: {plausible: 0, strong: 0}
show: {first: 0, last: 1}
class: umum
severity: low
articles: [UU 27/2022 Art. 4(3)f]
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("class: umum", "class: umun", "staff.yml:12:1: class: 'umun' is not known (did you mean"),
        ("severity: low", "severty: low", "staff.yml:13:1: severty: unknown key (did you mean 's"),
        ("check: any", "check: luhnn", "'luhnn' is no check; there are any, nik"),
        ("[0-9]{6}", "[0-9{6}", "staff.yml:4:5: pattern: cannot be compiled"),
        ("<start>", "<begin>", "staff.yml:4:5: pattern: <begin> is not known"),
        ("plausible: 0.6", "plausible: 6", "less than or equal to 1"),
    ],
)
def test_complaints_have_their_place(old: str, new: str, complaint: str) -> None:
    with pytest.raises(ContentError, match=r".") as caught:
        read([(Path("staff.yml"), STAFF.replace(old, new).encode())])
    assert complaint in str(caught.value)


def test_a_site_adds_and_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "config" / "kr-secops" / "rules" / "identifiers"
    folder.mkdir(parents=True)
    (folder / "staff.yml").write_text(STAFF)
    cache = tmp_path / "cache"
    for _ in range(2):  # made, then read from the cache
        finder = Finder(description.load(cache))
        assert [span.type for span in finder.find("oleh KR123456")] == ["staff"]
    (folder / "staff.yml").write_text(STAFF.replace("KR", "KB"))
    finder = Finder(description.load(cache))
    assert finder.find("oleh KR123456") == []
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"7\n", b"2\n{}3\nabc3\nabc", b"\xff" * 64])
def test_a_damaged_cache_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    description.load(tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for bad in (damage, whole[:-100], whole[: len(whole) // 2]):
        file.write_bytes(bad)
        assert Finder(description.load(tmp_path)).lines(b"x\nsiti@gmail.com") == [2]
        assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert description.load(tmp_path / "file" / "cache").identifiers


def test_a_cached_start_reads_no_yaml(tmp_path: Path) -> None:
    description.load(tmp_path)
    code = (
        "import sys; from pathlib import Path; from kr_secops.privacy.mask import Guard; "
        "Guard(b'k' * 32, cache_dir=Path(sys.argv[1])).text('siti@gmail.com'); "
        "print(sorted({'yaml', 'pydantic', 'kr_secops.privacy.reading'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_shipped_identifier_is_whole() -> None:
    described = description.load()
    assert {one.id for one in described.identifiers} >= {"nik", "kk", "npwp", "phone", "email"}
    for one in described.identifiers:
        assert one.articles
        assert one.title.keys() == {"en", "id"}
        assert one.show[0] + one.show[1] <= 6

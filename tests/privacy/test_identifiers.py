"""What is found, as what, and what is left alone. All values are invented."""

from __future__ import annotations

import itertools
import json
import string
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr_secops.privacy import description
from kr_secops.privacy.identifiers import Finder, find

if TYPE_CHECKING:
    from pathlib import Path

NIK = "6112015708900003"  # a woman: 17 + 40
MAN = "6112011708900003"
OLD = "9107316102180005"  # a district of before the division of Papua
NPWP = "013121660091000"
FINDER = Finder(description.load())


def found(text: str, **context: object) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in find(text, **context)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (NIK, "nik", NIK),
        (f"NIK: {MAN}", "nik", MAN),
        (f"nik={OLD}", "nik", OLD),
        ("No. KTP : 611201 570890 0003", "nik", "611201 570890 0003"),
        ("nik 6112-0157-0890-0003.", "nik", "6112-0157-0890-0003"),
        ("nik 6112.0157.0890.0003", "nik", "6112.0157.0890.0003"),
        ("61.12.01.570890.0003", "nik", "61.12.01.570890.0003"),
        ("nik 6112\u00a00157\u00a00890\u00a00003", "nik", "6112\u00a00157\u00a00890\u00a00003"),
        (f"GET /cek?id={NIK}&x=1 HTTP/1.1", "nik", NIK),
        (f"nik%3D%22{NIK}%22%7D", "nik", NIK),
        ("nik=611201%20570890%200003", "nik", "611201%20570890%200003"),
        (f'{{"nik":"{NIK}"}}', "nik", NIK),
        (f'{{"nik":{NIK}}}', "nik", NIK),
        (f'"pesan":"baris\\n{NIK}"', "nik", NIK),
        (f"/berkas/ktp_{NIK}.pdf", "nik", NIK),
        (f"NIK{NIK}", "nik", NIK),
        (f"{NIK}.0", "nik", NIK),  # a spreadsheet's number
        (f"1,{NIK},Siti", "nik", NIK),
        (f"No. KK {MAN}", "kk", MAN),
        (f"nomorKk: {MAN}", "kk", MAN),
        (f"Kartu Keluarga nomor {MAN}", "kk", MAN),
        (f"no_kk={MAN}", "kk", MAN),
        (f"KK {NIK}", "nik", NIK),  # no family card is of day 57
        ("01.312.166.0-091.000", "npwp", "01.312.166.0-091.000"),
        (f"NPWP {NPWP}", "npwp", NPWP),
        (f"npwp: 0{NPWP}", "npwp", f"0{NPWP}"),
        (f"npwp16={NIK}", "npwp", NIK),
        ("081234567890", "phone", "081234567890"),
        ("hp 0812-3456-7890", "phone", "0812-3456-7890"),
        ("WA 0812 3456 7890", "phone", "0812 3456 7890"),
        ("telp. 0812.3456.7890", "phone", "0812.3456.7890"),
        ("(0812) 3456-7890", "phone", "(0812) 3456-7890"),
        ("+6281234567890", "phone", "+6281234567890"),
        ("+62 812-3456-7890", "phone", "+62 812-3456-7890"),
        ("hp=%2B6281234567890&x=1", "phone", "%2B6281234567890"),
        ("6281234567890", "phone", "6281234567890"),
        ("wa 0062 812 3456 7890", "phone", "0062 812 3456 7890"),
        ("HP081234567890", "phone", "081234567890"),
        ("no_hp: 81234567890.0", "phone", "81234567890"),
        ("(0561) 712345", "phone", "(0561) 712345"),
        ("0561-712345", "phone", "0561-712345"),
        ("Telp. 0561712345", "phone", "0561712345"),
        ("fax (021) 5551234", "phone", "(021) 5551234"),
        ("+62 561 712345", "phone", "+62 561 712345"),
        ("Siti.Aminah@gmail.com", "email", "Siti.Aminah@gmail.com"),
        ("<siti@kuburayakab.go.id>", "email", "siti@kuburayakab.go.id"),
        ("email=siti%40gmail.com&x=1", "email", "siti%40gmail.com"),
        ("email%3D%22siti%2540gmail.com%22", "email", "siti%2540gmail.com"),
        ('"email":"siti\\u0040gmail.com"', "email", "siti\\u0040gmail.com"),
        ('\\"email\\":\\"siti\\\\u0040gmail.com\\"', "email", "siti\\\\u0040gmail.com"),
        ("baris\\nsiti@gmail.com", "email", "siti@gmail.com"),
        ("081234567890@gmail.com", "email", "081234567890@gmail.com"),
        ("Tulis ke siti+uji@mail.co.id.", "email", "siti+uji@mail.co.id"),
    ],
)
def test_finds(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]
    assert FINDER.lines(text.encode()) == [0]


@pytest.mark.parametrize(
    "text",
    [
        "6112993208900003",  # day 32, and 99 is no district of Kubu Raya
        "nik 6112017002900003",  # 30 February
        "6112015708900000",  # serial numbers begin at 1
        "2012015708900003",  # there is no province 20
        "6112997208900003",
        f"id {NIK}7",
        f"id 9{NIK}",
        f"0.{NIK}",
        "invoice 8123456789012345 total Rp250000",
        "ts=1763340309123456 id=1763340309123457",
        "2026111701050912 sync ok",
        "order 081234567890 status kirim",
        "order id: 081234567890",
        "INV/20261117/0812345678901234 lunas",
        "uuid 6f1c0812-3456-4890-8123-081234567890",
        "sha1 ab61120157089000033cd0812345678901234567",
        "imei 356938035643809",
        "NOP PBB 61.12.010.003.012-0123.0",
        "nop 611201000300120123",
        "kode rekening 5.1.02.01.01.0024",
        "versi 10.26.61.12 build 81234567",
        "kartu kredit 4111 1111 1111 1111",
        "virtual account 8808123456789012 tagihan",
        "NPWP 01.312.166.1-091.000",  # the check digit would be 0
        "no 013121660091000 tanpa keterangan",
        "npwp 000000000000000",
        "hp 0800123456",
        "hp 08123456",  # too short
        "hp 081234567890123456",
        "rekening BNI 0812345678",
        "203.0.113.9 - - [17/Nov/2026:08:12:34 +0700] 200 5316 0.081 0.082 81234",
        "Nov 17 08:12:34 srv sshd[81234567]: port 56171 ssh2",
        "Started user@1000.service - User Manager.",
        "hmac-sha2-256-etm@openssh.com",
        "logo@2x.png",
        "siti@example.com",
        "root@web-1",
        "git@10.0.0.1",
        "siti@desa.localhost",
        "pkg@1.2.3",
        "a@b.zz",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"NIK {NIK}, hp 081234567890/081398765432",
            [("nik", NIK), ("phone", "081234567890"), ("phone", "081398765432")],
        ),
        (f"NIK {NIK} 081234567890", [("nik", NIK), ("phone", "081234567890")]),
        (f"NIK {MAN} KK {MAN}", [("nik", MAN), ("kk", MAN)]),
        (f"no_kk={MAN}&nik={MAN}", [("kk", MAN), ("nik", MAN)]),
        ("order=7&hp=081234567890", [("phone", "081234567890")]),
        ('"order":"A7","kontak":"081234567890"', [("phone", "081234567890")]),
        ("081234567890 12 orang", [("phone", "081234567890")]),
        ("telp 0561712345, 0561712346", [("phone", "0561712345"), ("phone", "0561712346")]),
    ],
)
def test_tells_neighbours_apart(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_label_raises_and_an_unknown_district_lowers_confidence() -> None:
    bare, labelled, unknown, lookalike = (
        find(text)[0].confidence
        for text in (MAN, f"nik {MAN}", "nik 6102991708900003", f"invoice {MAN}")
    )
    assert lookalike < unknown < bare < labelled


def test_header_names_the_columns() -> None:
    columns = FINDER.columns('no,"nama, lengkap",nik,no_kk,no_rekening,no_hp')
    row = f'1,"Siti, A.",{MAN},{MAN},0812345678,081234567890'
    assert found(row, columns=columns) == [("nik", MAN), ("kk", MAN), ("phone", "081234567890")]
    assert FINDER.columns(row) is None
    assert FINDER.columns("tanggal,isi") is None


def test_a_childs_nik_is_specific_data() -> None:
    child, adult = "6112011708150003", "6112011708900003"
    on = date(2026, 11, 17)
    assert [find(nik, on=on)[0].cls for nik in (child, adult)] == ["spesifik", "umum"]
    assert find(child)[0].cls == "umum"


def test_places_count_characters() -> None:
    text = f"Yth. Ibu Ñí™ — NIK {NIK} dan 😀 siti@gmail.com"
    assert found(text) == [("nik", NIK), ("email", "siti@gmail.com")]


def test_lines_are_ascending_starts_within_the_block() -> None:
    data = f"a\n{NIK}\r\nb\n\nx {MAN} y {MAN}\nsiti@gmail.com".encode()
    assert FINDER.lines(data) == [2, data.index(b"x "), data.index(b"siti")]
    assert FINDER.lines(b"") == []
    assert FINDER.lines(b"\n\n\n") == []


PIECES = st.sampled_from(
    [
        NIK,
        MAN,
        OLD,
        NPWP,
        "0812-3456-7890",
        "+62 812 3456 7890",
        "siti@gmail.com",
        "a%40b.co.id",
        "01.312.166.0-091.000",
        "(0561) 712345",
        "nik=",
        "hp ",
        "KK ",
        "npwp:",
        "order ",
        "%22",
        "\\n",
        *list(" .-,;&=@\"'%0689\t"),
        "\n",
        "é",
        "–",
        "\\u0040",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES | st.text(string.printable, max_size=6), max_size=14).map("".join))
def test_lines_hold_everything_that_find_reports(text: str) -> None:
    data = text.encode()
    starts = set(FINDER.lines(data))
    place = 0
    for line in data.split(b"\n"):
        if FINDER.find(line.decode()):
            assert place in starts
        place += len(line) + 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_can_be_searched(text: str) -> None:
    spans = FINDER.find(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@pytest.mark.parametrize("unit", ["a@b.co,", "6112 ", "08", "%40", "a@a.aa@", "0812 3456 7890 "])
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    FINDER.find(text)
    assert len(FINDER.lines(text.encode())) <= 1


@pytest.mark.slow
def test_scores_on_the_corpus(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("faker", reason="needs faker, which makes the corpus's names")
    lists, tools = shared / "data" / "personal-data", shared / "tools"
    subprocess.run(
        [
            sys.executable,
            tools / "gen_pii_corpus.py",
            tmp_path,
            "--mb",
            "1",
            "--seed",
            "7",
            "--kec",
            lists / "kec2025.json",
            "--hist",
            lists / "kecunion.json",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    rows = []
    for path in sorted((tmp_path / "corpus").iterdir()):
        lines = path.read_text().split("\n")
        columns = FINDER.columns(lines[0]) if path.suffix == ".csv" else None
        for number, line in enumerate(lines, 1):
            for span in FINDER.find(line, columns=columns):
                row = {"file.path": path.name, "kr.pii.type": span.type, "kr.pii.line": number}
                row |= {"kr.pii.start": span.start, "kr.pii.end": span.end}
                rows.append(json.dumps(row))
    spans = tmp_path / "spans.ndjson"
    spans.write_text("\n".join(rows))
    score = tmp_path / "score.json"
    subprocess.run(
        [
            sys.executable,
            tools / "score_spans.py",
            tmp_path / "truth.jsonl",
            spans,
            "--json",
            score,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    types = json.loads(score.read_text())["types"]
    for kind in ("nik", "kk", "npwp", "phone", "email"):
        assert types[kind]["precision"] >= 0.98, kind
        assert types[kind]["recall"] >= 0.95, kind

"""What each writer writes: golden files, and nothing that could act on its reader."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from kr_secops.report.interface import WRITERS
from kr_secops.report.words import table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.report.interface import Report

Write = Any

HOSTILE = [
    "<script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "[bold red]markup[/] :skull:",
    "safe\u202egpj.exe",
    "nul\x00 del\x7f csi\x9b2J",
    '=HYPERLINK("http://192.0.2.1")',
    "\t=1+1",
    "a;=1+1",
    "{{ 7 * 7 }}",
    "long " * 900,
    '" onfocus="x',
]
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def hostile(sample: Callable[..., Report], findings: list[bytes]) -> Report:
    """A report in which every text from outside attacks its reader."""
    lines = []
    for text in HOSTILE:
        document = orjson.loads(findings[0])
        event = {"event.original": text, "log.file.path": text, "log.offset": 3}
        leaf = {"field": text, "is": text, "want": text, "value": text, "true": True}
        words = {"title": text, "description": text, "recommendation": text}
        document |= {
            "kr.finding.id": f"id{text}",
            "rule.id": text,
            "rule.name": text,
            "kr.finding.entity": {"host.name": text, text: text},
            "kr.finding.text": {"id": words, "en": words},
            "kr.finding.reason": text,
            "kr.finding.references": [text, f"javascript:{text}", f"https://x.example/{text}"],
            "kr.finding.controls": [text],
            "kr.finding.tags": [text],
            "kr.finding.falsepositives": [text],
            "kr.finding.evidence": [
                {"event": event, "explanation": {"op": "and", "name": text, "of": [leaf, text]}}
            ],
        }
        lines.append(orjson.dumps(document))
    return sample(lines, agency=HOSTILE[0], prepared_by=HOSTILE[1], hosts=HOSTILE, run=HOSTILE[3])


@pytest.mark.parametrize(
    ("name", "language", "options"),
    [
        ("table.txt", "id", {"width": 80}),
        ("table.en.txt", "en", {"width": 120}),
        ("table.wide.txt", "en", {"wide": True}),
        ("table.ascii.txt", "id", {"width": 60, "encoding": "ascii"}),
        ("table.colour.txt", "id", {"width": 110, "colour": True}),
    ],
)
def test_tables(
    name: str,
    language: str,
    options: dict[str, Any],
    sample: Callable[..., Report],
    written: Write,
    golden: Callable[[str, str], None],
) -> None:
    text = written(sample(language=language), "table", **options).decode()
    golden(name, text)
    if "width" in options:
        plain = re.sub("\x1b\\[[0-9;]*m", "", text)
        assert max(map(len, plain.splitlines()[:-1])) <= options["width"]
        whole = plain.replace("\n", "").replace("|", "").replace(" ", "")
        assert options["width"] < 80 or all(f.id in whole for f in sample().findings)


def test_an_empty_table_says_so(sample: Callable[..., Report], written: Write) -> None:
    report = sample([b"no finding"], language="en")
    assert written(report, "table").decode() == (
        "0 findings. 1 input document held no sound finding and was passed over.\n"
    )


def test_csv(
    sample: Callable[..., Report], written: Write, golden: Callable[[str, str], None]
) -> None:
    golden("findings.csv", written(sample(), "csv").decode())


def test_ndjson_is_what_detect_prints(
    sample: Callable[..., Report], written: Write, findings: list[bytes]
) -> None:
    assert sorted(written(sample(), "ndjson").splitlines()) == sorted(findings)


def test_json_states_the_digest_of_its_own_line(
    sample: Callable[..., Report], written: Write, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(written(sample(), "json"))
    document = orjson.loads(path.read_bytes())
    assert document["report"]["collected"]["rejected"] == {
        "/var/www/izin/storage/logs/laravel.log": 12
    }
    command = f"sed -n '/^\\[/p' {path} | tr -d '\\n' | sha256sum"
    assert _run(command) == document["report"]["sha256"]


@pytest.mark.parametrize("language", ["id", "en"])
def test_html_fragments(
    language: str,
    sample: Callable[..., Report],
    written: Write,
    golden: Callable[[str, str], None],
) -> None:
    page = written(sample(language=language), "html").decode()
    head, _, rest = page.partition('<section id="timeline">')
    golden(f"summary.{language}.html", head.partition("</head>")[2])
    golden(
        f"finding.{language}.html",
        re.search('<article[^>]*id="f2".*?</article>', rest, re.DOTALL)[0],
    )
    golden(
        f"coverage.{language}.html",
        re.search('<section id="coverage".*', rest, re.DOTALL)[0][:6000],
    )


def test_the_page_s_own_command_checks_its_digest(
    sample: Callable[..., Report], written: Write, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    page = written(sample(language="en"), "html")
    path.write_bytes(page)
    command = re.search("<code>(sed .*?)</code>", page.decode())[1]
    command = command.replace("report.html", str(path)).replace("&lt;", "<").replace("&gt;", ">")
    assert _run(command) == sample().digest()
    path.write_bytes(page.replace(b"203.0.113.77", b"203.0.113.78"))
    assert _run(command) != sample().digest()


def test_a_page_without_account_says_that_it_has_none(
    sample: Callable[..., Report], written: Write
) -> None:
    page = written(sample(collected=None), "html").decode()
    assert page.count(table("id")["said_unknown"]) == 2


def test_nothing_found(sample: Callable[..., Report], written: Write) -> None:
    page = written(sample([b"\n"]), "html").decode()
    assert table("id")["verdict_none"] in page
    assert "<article" not in page


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_hostile_text_is_inert(name: str, hostile: Report, written: Write) -> None:
    text = written(hostile, name).decode()
    assert len(hostile.findings) == len(HOSTILE)
    if name in ("json", "ndjson"):
        assert all(ord(c) >= 32 or c == "\n" for c in text)
    else:
        assert UNSEEN.findall(text.replace("\r\n", "\n")[1:]) == []
    if name == "html":
        assert text.count("<script") == 2
        assert "<script>alert" not in text
        assert 'href="javascript' not in text
        assert ">49<" not in text
        assert not re.search(r"<[^>]* onfocus=\"", text)


def test_no_cell_is_a_formula(hostile: Report, written: Write) -> None:
    text = written(hostile, "csv").decode("utf-8-sig")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert [cell for cell in row if cell.strip(' \t\n"')[:1] in ("=", "+", "-", "@")] == []


def _run(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    return done.stdout.split()[0]

"""Whatever wrote a record: where one of its values holds a keyword, its line is taken."""

from __future__ import annotations

import json

import pytest

from kr_secops.collect.exports import as_tree
from kr_secops.collect.windows import normalise
from kr_secops.detect.candidates import load_scanner
from kr_secops.detect.matcher import word_values
from kr_secops.rule import keywords
from tests.collect.exported import SHAPES

RECORD = {
    "Event": {
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": "ABCD-1234"}},
            "EventID": 1,
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "TimeCreated": {"#attributes": {"SystemTime": "2026-11-17T01:00:00Z"}},
            "EventRecordID": 12,
            "Computer": "srv-1",
        },
        "EventData": {
            "CommandLine": "type a&bcd <e> 'f g' \"h\" C:\\temp\\x",
            "User": "KOTA\\budi",
        },
    }
}
WORDS = (
    *("a&bcd", "<e>", "'f g'", '"h"', "c:\\temp", "kota\\budi", "{abcd-1234}", "abcd-12"),
    *("microsoft-windows-sysmon/operational", "type a&b", "srv-1", "operational", "sysmon"),
)


def takes(word: str, line: bytes) -> bool:
    made = keywords.database([word])
    if not made:
        return made is None
    hits: list[int] = []
    load_scanner(made)(line, match_event_handler=lambda number, *_: hits.append(number))
    return bool(hits)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("word", WORDS)
def test_no_line_with_a_keyword_is_passed_over(shape: str, word: str) -> None:
    document = SHAPES[shape](RECORD)
    values = "\n".join(word_values(normalise(as_tree(document)))).lower()
    for written in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
        assert word not in values or takes(word, written.encode())


@pytest.mark.parametrize("line", [b'"\\u0065vil"', b'"<Data>&#101;vil</Data>"', b'"EVIL"'])
def test_however_its_letters_are_written(line: bytes) -> None:
    assert takes("evil", line)
    assert not takes("evil", b'"good"')

"""One finding as text: complete, in both languages, and inert."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from kr_secops.finding import from_document
from kr_secops.report.detail import detail

if TYPE_CHECKING:
    from kr_secops.finding import Finding

LINES = (Path(__file__).parent / "findings.ndjson").read_bytes().splitlines()
FINDINGS = [from_document(orjson.loads(line)) for line in LINES]


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.id)
def test_tells_everything_and_steers_nothing(finding: Finding) -> None:
    for language in ("id", "en"):
        text = detail(finding, language=language, zone=UTC)
        assert finding.id in text
        assert finding.rule_id in text
        assert finding.first_seen[:10] in text
        for words in finding.text.get(language, {}).values():
            assert words.split()[0] in text
        for evidence in finding.evidence:
            record = str(evidence.event.get("event.original", ""))
            assert record[:12].isprintable() <= (record[:12] in text)
        assert not any((ord(c) < 32 and c != "\n") or 0x202A <= ord(c) <= 0x202E for c in text)

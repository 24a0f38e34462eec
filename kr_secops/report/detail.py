"""One finding in full as plain text: what happened, what to do, the evidence and why it matched."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from kr_secops.report.exhibit import exhibit
from kr_secops.report.inert import one_line, printable
from kr_secops.report.interface import WIB, title
from kr_secops.report.phrases import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from kr_secops.finding import Evidence, Finding
    from kr_secops.language import Language
    from kr_secops.report.exhibit import Node

_RECORD: Final = 600
"""Characters of a record that are shown here; the HTML report shows more."""


def detail(finding: Finding, *, language: Language, zone: tzinfo = WIB, width: int = 100) -> str:
    """Return *finding* as text of at most *width* columns, but for records and ids."""
    voice = Voice(language, zone)
    lines = [*_head(finding, voice), *_told(finding, voice, width)]
    for number, evidence in enumerate(finding.evidence, 1):
        lines += ["", f"{voice.say('evidence')} {number}", *_evidence(evidence, voice)]
    return printable("\n".join(lines)) + "\n"


def _head(finding: Finding, voice: Voice) -> Iterator[str]:
    level = voice.say(f"level_{finding.level.name}").upper()
    yield f"{level}  {one_line(title(finding, voice.language), 300)}"
    rows = [
        ("column_id", finding.id),
        ("column_rule", f"{finding.rule_id}  {finding.rule_name}"),
        ("column_status", voice.say(f"status_{finding.status.value}")),
        ("column_reason", finding.reason or ""),
        ("column_first_seen", _when(finding.first_seen, voice)),
        ("column_last_seen", _when(finding.last_seen, voice)),
        ("column_count", voice.number(finding.count)),
        ("column_entity", "  ".join(f"{k}={v}" for k, v in finding.entity.items())),
        ("column_techniques", "  ".join(finding.tags)),
        ("column_controls", "  ".join(finding.controls)),
    ]
    widest = max(len(voice.say(key)) for key, _ in rows)
    for key, value in rows:
        if value:
            yield f"  {voice.say(key):<{widest}}  {one_line(value, 400)}"


def _told(finding: Finding, voice: Voice, width: int) -> Iterator[str]:
    words = finding.text.get(voice.language, {})
    for key, text in (
        ("happened", words.get("description")),
        ("recommendation", words.get("recommendation")),
        ("falsepositives", "; ".join(finding.falsepositives)),
        ("references", " ".join(finding.references)),
    ):
        if text:
            yield ""
            yield voice.say(key)
            yield from textwrap.wrap(
                text, width, initial_indent="  ", subsequent_indent="  ", break_long_words=False
            )


def _evidence(evidence: Evidence, voice: Voice) -> Iterator[str]:
    shown = exhibit(evidence)
    place = shown.source + (
        f" ({voice.say('offset', n=shown.offset)})" if shown.offset is not None else ""
    )
    when = _when(evidence.event["@timestamp"], voice) if shown.when else ""
    yield f"  {one_line('  '.join(part for part in (when, place) if part), 400)}"
    yield f"  {one_line(shown.record, _RECORD)}"
    if shown.node:
        yield f"  {voice.say('why')}:"
        yield from _tree(shown.node, voice, 2)


def _tree(node: Node, voice: Voice, depth: int) -> Iterator[str]:
    indent = "  " * depth
    unmet = "" if node.met else f" ({voice.say('unmet')})"
    if node.kind in ("and", "or", "not"):
        name = f"{node.name}: " if node.name else ""
        yield f"{indent}{name}{voice.say(f'op_{node.kind}')}{unmet}"
        for inner in node.nodes:
            yield from _tree(inner, voice, depth + 1)
    elif node.kind == "field":
        value = (
            f"  [{voice.say('value')}: {one_line(node.value, 160)}]"
            if node.value is not None
            else ""
        )
        yield f"{indent}{node.name} {node.operator} {one_line(node.wanted)}{value}{unmet}"
    elif node.kind == "more":
        yield f"{indent}{voice.say('more')}"
    else:
        yield f"{indent}{one_line(node.wanted)}"


def _when(text: str, voice: Voice) -> str:
    return voice.local(text).strftime("%Y-%m-%d %H:%M:%S %Z")

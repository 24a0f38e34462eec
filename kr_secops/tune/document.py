"""The proposed filter as a file that a person reads, keeps, and that ends by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from sigma.types import SigmaString

from kr_secops.report.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from kr_secops.tune.cover import Selection


def write(
    head: Mapping[str, Any],
    rule: str,
    selections: Sequence[tuple[Selection, str]],
    name_of: Callable[[str], str | None],
    reason: str,
    expires: date,
) -> str:
    """Return the text of a Sigma filter.

    Args:
        head: title, id, description and so on, in order.
        rule: id or name of the rule that is filtered.
        selections: each with what it covers, for its reader.
        name_of: event's field → the rule's.
        reason: why these are false.
        expires: the filter's last day.
    """
    lines = [yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=1000).rstrip()]
    lines += ["filter:", f"  rules: [{json.dumps(rule)}]"]
    several = len(selections) > 1
    for i, (selection, covers) in enumerate(selections, 1):
        lines.append(f"  selection{f'_{i}' if several else ''}:  # {one_line(covers)}")
        for atom in selection.atoms:
            key = f"{name_of(atom.field)}{f'|{atom.kind}' if atom.kind else ''}"
            value = atom.text if atom.kind == "cidr" else escaped(atom.text)
            lines.append(f"    {_scalar(key)}: {_scalar(value)}")
    lines.append(f"  condition: not {'1 of selection_*' if several else 'selection'}")
    own = {"kr": {"reason": reason, "expires": expires}}
    lines.append(yaml.safe_dump(own, sort_keys=False, allow_unicode=True, width=1000).rstrip())
    return "\n".join(lines) + "\n"


def probe(text: str, identity: str) -> str:
    """Return a rule that is true of every event that the filter *text* is about."""
    written = yaml.safe_load(text)
    parts = {name: part for name, part in written["filter"].items() if name != "rules"}
    parts["condition"] = parts["condition"].removeprefix("not ")
    head = {key: written[key] for key in ("taxonomy", "logsource") if key in written}
    return yaml.safe_dump({"title": "probe", "id": identity, **head, "detection": parts})


def escaped(text: str) -> str:
    """Return *text* as Sigma writes a value that is meant to the letter."""
    if tuple(SigmaString(text).s) in ((text,), ()):
        return text
    doubled = text.replace("\\", "\\\\")
    return doubled.replace("*", "\\*").replace("?", "\\?")


def _scalar(text: str) -> str:
    """Return *text* as one YAML scalar, in quotation marks only where it needs them."""
    line: str = yaml.safe_dump({"k": text}, allow_unicode=True, width=100_000)
    return line.removeprefix("k: ").rstrip("\n")

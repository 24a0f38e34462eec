"""Names of MITRE ATT&CK 19 techniques and tactics, offline: what tags of rules and findings mean.

``attack.tsv`` holds the techniques in force, ``attack-retired.tsv`` those that were revoked or
deprecated, with their successor. © The MITRE Corporation, reproduced with its permission.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.finding import Finding

VERSION: Final = "19"
TACTICS: Final = {
    "reconnaissance": ("Reconnaissance", "Pengintaian"),
    "resource-development": ("Resource Development", "Penyiapan sumber daya"),
    "initial-access": ("Initial Access", "Akses awal"),
    "execution": ("Execution", "Eksekusi"),
    "persistence": ("Persistence", "Bertahan di sistem"),
    "privilege-escalation": ("Privilege Escalation", "Peningkatan hak akses"),
    "stealth": ("Stealth", "Penyembunyian"),
    "defense-impairment": ("Defense Impairment", "Pelumpuhan pertahanan"),
    "credential-access": ("Credential Access", "Pencurian kredensial"),
    "discovery": ("Discovery", "Penjelajahan sistem"),
    "lateral-movement": ("Lateral Movement", "Pergerakan lateral"),
    "collection": ("Collection", "Pengumpulan data"),
    "command-and-control": ("Command and Control", "Kendali jarak jauh"),
    "exfiltration": ("Exfiltration", "Pengeluaran data"),
    "impact": ("Impact", "Dampak"),
    "": ("Other", "Lainnya"),
}
"""Tag → name in English and Indonesian, in ATT&CK's order."""

_TECHNIQUE: Final = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)


class Tagged(Protocol):
    """A rule or a finding."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Sigma tags."""
        ...


@dataclass(frozen=True, slots=True)
class Use:
    """A technique under one tactic, and how much of the report speaks of it."""

    tactic: str
    """Key of `TACTICS`."""
    technique: str
    name: str
    """Empty if the table does not know the technique."""
    findings: int
    events: int


@cache
def known() -> dict[str, tuple[tuple[str, ...], str]]:
    """Return technique → its tactics and its name; sub-techniques as ``parent: name``."""
    text = (files("kr_secops.report") / "attack.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    names = {technique: name for technique, _, name in rows}
    found = {}
    for technique, tactics, name in rows:
        parent = names.get(technique.partition(".")[0], "") if "." in technique else ""
        found[technique] = (tuple(tactics.split(",")), f"{parent}: {name}" if parent else name)
    return found


@cache
def retired() -> dict[str, tuple[str, str]]:
    """Return technique no longer in force → what took its place (may be empty), and its name."""
    text = (files("kr_secops.report") / "attack-retired.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {technique: (successor, name) for technique, successor, name in rows}


def techniques(tagged: Tagged) -> list[str]:
    """Return the ids of the techniques, each once, that the tags of *tagged* name, as ``T1110.001``."""
    named = (m[1].upper() for tag in tagged.tags if (m := _TECHNIQUE.fullmatch(tag)))
    return list(dict.fromkeys(named))


def uses(findings: Iterable[Finding]) -> list[Use]:
    """Return the techniques *findings* speak of, in the order of tactics, the busiest first.

    Of the tactics a technique serves, those count that the rule names; a rule that names none of
    them leaves the technique under its first.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    for finding in findings:
        for technique in techniques(finding):
            for tactic in named_tactics(technique, finding.tags) or [first_tactic(technique)]:
                count = counts.setdefault((tactic, technique), [0, 0])
                count[0] += 1
                count[1] += finding.count
    order = list(TACTICS)
    found = [
        Use(tactic, technique, known().get(technique, ((), ""))[1], *count)
        for (tactic, technique), count in counts.items()
    ]
    return sorted(found, key=lambda u: (order.index(u.tactic), -u.findings, u.technique))


def named_tactics(technique: str, tags: Iterable[str]) -> list[str]:
    """Return the tactics among *tags* that *technique* serves, in ATT&CK's order."""
    tagged = {tag.removeprefix("attack.").replace("_", "-").lower() for tag in tags}
    serves = known().get(technique, ((), ""))[0]
    return [tactic for tactic in TACTICS if tactic in tagged and (tactic in serves or not serves)]


def first_tactic(technique: str) -> str:
    """Return the tactic under which *technique* stands if nothing names one; empty if unknown."""
    serves = known().get(technique, ((), ""))[0]
    return serves[0] if serves else ""

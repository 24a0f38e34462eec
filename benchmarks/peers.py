"""The peers of the rule benchmark: where they are, what they are asked, what they found.

README.md says how each is made, and in which folder it is looked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness import CACHE, KR_SECOPS, Contender

if TYPE_CHECKING:
    from collections.abc import Sequence

PEERS = Path(os.environ.get("BENCHMARK_PEERS") or CACHE / "peers")
RSIGMA = PEERS / "bin/rsigma"
ZIRCOLITE = PEERS / "zircolite"
CHAINSAW = PEERS / "chainsaw"
HAYABUSA = PEERS / "hayabusa"
FOUND = Path(tempfile.gettempdir()) / f"kr-secops-benchmark-{os.getpid()}"
"""What the peers that write no standard output have found."""


def lines(output: Path) -> int:
    """Return the number of lines of *output*."""
    with output.open("rb") as file:
        return sum(1 for _ in file)


def us(name: str, rules: Sequence[Path], *logs: Path) -> Contender:
    """Return ourselves, printing every match of *rules* in *logs*."""
    chosen = [word for path in rules for word in ("--rules", str(path))]
    command = [*KR_SECOPS, "detect", "--skip-invalid", "--matches", "--quiet", *chosen]
    return Contender(f"kr-secops, {name}", [*command, *map(str, logs)], count=lines)


def rsigma(name: str, rules: Path, log: Path, *more: str) -> list[Contender]:
    """Return rsigma on a file of flat events or, by *more*, of lines."""
    if not _is_here("rsigma", RSIGMA):
        return []
    options = more or (
        *("-p", "sysmon", "--logsource-routing"),
        *("--event-logsource", "product=windows", "--input-format", "json"),
    )
    command = [str(RSIGMA), "engine", "eval", "-r", str(rules), *options, "-e", f"@{log}"]
    return [Contender(f"rsigma, {name}", command, count=lines)]


def zircolite(name: str, logs: Path, *more: str) -> list[Contender]:
    """Return Zircolite with all the rules that it could convert."""
    rulesets = sorted((ZIRCOLITE / "converted").glob("*.json"))
    python = ZIRCOLITE / "venv/bin/python"
    if not _is_here("zircolite", python, *(rulesets or [ZIRCOLITE / "converted/*.json"])):
        return []
    command = [
        *(str(python), str(ZIRCOLITE / "zircolite.py"), "-q"),
        *("-c", str(ZIRCOLITE / "config/config.yaml"), "-l", os.devnull),
        *("-o", str(FOUND), "-e", str(logs), *more, "-r", *map(str, rulesets)),
    ]

    def count(_: Path) -> int:
        return sum(rule["count"] for rule in json.loads(FOUND.read_text()))

    return [Contender(f"zircolite, {name}", command, count=count)]


def chainsaw(name: str, rules: Path, logs: Path) -> list[Contender]:
    """Return chainsaw on a folder of EVTX files."""
    program = CHAINSAW / "target/release/chainsaw"
    if not _is_here("chainsaw", program):
        return []
    mapping = CHAINSAW / "mappings/sigma-event-logs-all.yml"
    command = [
        *(str(program), "hunt", str(logs), "-s", str(rules), "--mapping", str(mapping)),
        *("--json", "--skip-errors", "-q"),
    ]

    def count(output: Path) -> int:
        return len(json.loads(output.read_text()))

    return [Contender(f"chainsaw, {name}", command, count=count)]


def hayabusa(name: str, logs: Path) -> list[Contender]:
    """Return hayabusa with its own rules, SigmaHQ's converted among them."""
    program = HAYABUSA / "target/release/hayabusa"
    if not _is_here("hayabusa", program):
        return []
    command = [
        *(str(program), "dfir-timeline", "-d", str(logs), "-r", str(HAYABUSA / "rules")),
        *("-c", str(HAYABUSA / "rules/config"), "-t", "jsonl", "-o", str(FOUND)),
        *("-C", "-w", "-n", "-q", "-Q"),
    ]
    return [Contender(f"hayabusa, {name}", command, count=lambda _: lines(FOUND))]


def versions() -> None:
    """Print who is here."""
    commands = {
        "kr-secops": [*KR_SECOPS, "--version"],
        "rsigma": [str(RSIGMA), "--version"],
        "zircolite": [
            str(ZIRCOLITE / "venv/bin/python"), str(ZIRCOLITE / "zircolite.py"), "--version",
        ],
        "chainsaw": [str(CHAINSAW / "target/release/chainsaw"), "--version"],
        "hayabusa": [str(HAYABUSA / "target/release/hayabusa"), "help"],
    }  # fmt: skip
    print(f"Python {sys.version.split()[0]}", end="")
    for name, command in commands.items():
        if Path(command[0]).exists():
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            words = [w for w in said.split() if w.lstrip("v")[:1].isdigit() and "." in w]
            print(f", {name} {words[0].lstrip('v') if words else '?'}", end="")
    print()


_missed: set[str] = set()


def _is_here(name: str, *paths: Path) -> bool:
    missing = [path for path in paths if not path.exists()]
    if missing and name not in _missed:
        _missed.add(name)
        print(
            f"{name} left out: {missing[0].relative_to(PEERS)} is not in {PEERS.name}/ (README.md)"
        )
    return not missing

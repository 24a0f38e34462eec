"""The front door: help, exit codes, languages, and what start-up must not load."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kr_secops.cli.app import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import Run

HEAVY = {"elasticsearch", "scapy", "jinja2", "rich", "pydantic", "sigma", "yaml", "hyperscan"}


def test_the_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from kr_secops.cli.app import main; main(['--help']); "
        "print('loaded:', *sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(out.stdout.rpartition("loaded:")[2].split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_the_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in ran.out.decode()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_both_languages(run: Run, command: str) -> None:
    english = run(command, "--help")
    assert english.code == 0
    indonesian = subprocess.run(
        [sys.executable, "-m", "kr_secops", "--lang", "id", command, "--help"],
        capture_output=True,
        check=True,
    )
    assert english.out != indonesian.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bogus"], 2, "No such command 'bogus'"),
        (["scan", "--bogus"], 2, "No such option: --bogus"),
        (["config", "shwo"], 2, "Did you mean 'show'?"),
        (["--color", "pink", "config", "show"], 2, "auto, always or never"),
        (["findings", "list", "--level", "severe"], 2, "unknown level 'severe'"),
        (["findings", "list", "--since", "yesterday"], 2, "write it as 2026-11-17"),
        (["findings", "show", "abcd"], 2, "no finding has an id that begins with 'abcd'"),
        (["detect", "-f", "xml", "-"], 2, "unknown format 'xml'; known: table, ndjson"),
        (["detect", "--collector", "ssdh", "/dev/null"], 2, "sshd"),
        (["collect", "auto", "--zone", "Mars/Base", "/dev/null"], 2, "'Mars/Base' is no time zone"),
        (["detect", "/nowhere/at/all.log"], 4, "nothing could be read"),
        (["detect", "--year", "99999", "/dev/null"], 2, "--year"),
        (["collect", "pcap"], 2, "needs the file of a capture"),
        (["--lang", "xx", "config", "show"], 2, "--lang takes id or en"),
        (["report", "--kept", "-o", "r.xlsx"], 2, "unknown format 'xlsx'"),
        (["report", "--kept", "-o", "/dev/null/r.html"], 2, "Not a directory"),
        (["collector", "test", "/nowhere"], 2, "no such file or folder"),
        (["rule", "test", "/nowhere"], 2, "no such file or folder"),
    ],
)
def test_a_mistake_has_its_exit_code_and_its_mend(
    run: Run, words: list[str], code: int, said: str
) -> None:
    ran = run(*words)
    assert (ran.code, ran.out) == (code, b"")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_the_language_may_stand_anywhere(run: Run) -> None:
    ran = run("findings", "list", "--level", "berat", "--lang", "id")
    assert "tingkat 'berat' tidak dikenal" in ran.err


def test_the_version(run: Run) -> None:
    assert run("--version").out == b"kr-secops 0.1.0\n"


def test_a_reader_that_has_enough_is_no_failure() -> None:
    shell = f"{sys.executable} -m kr_secops rule list -f ndjson; echo code $? >&2"
    process = subprocess.Popen(
        ["sh", "-c", shell], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    with process.stderr:
        said = process.stderr.read()
    process.wait()
    assert "code 141" in said
    assert "Traceback" not in said


def test_a_device_is_written_to_and_not_replaced(run: Run) -> None:
    import stat
    from pathlib import Path

    assert run("findings", "list", "-f", "csv", "-o", "/dev/null").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)

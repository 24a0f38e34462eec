"""``rule import``, and that ``detect`` finds what it put there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.rule.bundle.conftest import rule

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "sigma-r2026-08-01"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "a.yml").write_text(rule(10, "/xmrig"))
    (folder / "rules" / "w.yml").write_text(
        rule(11).replace("Image|endswith: 'xmrig'", "Image|expand: '%tools%'")
    )
    (folder / "LICENSE").write_text("l")
    return folder


def test_import_detect_list_remove(run: Run, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)  # root's own folder is the host's
    ran = run("rule", "import", source)
    assert ran.code == 0
    assert ran.out.decode().splitlines()[:2] == [
        "2 rules added, 0 changed, 0 removed; 0 not asked for",
        "1 rules load, 1 of them about logs that are read here; 0 left out, 1 waiting",
    ]
    assert "waits for a list: rules/w.yml:6:1: " in ran.err
    assert "placeholders/LIST.txt, one a line" in ran.err
    assert "--rules" not in ran.err
    listed = run("rule", "import", "--list").out.decode()
    assert listed.startswith("sigmahq  2  r2026-08-01  ")
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "kr-secops" / "rules"
    event = source / "e.ndjson"
    event.write_bytes(
        orjson.dumps(
            {
                "@timestamp": "2026-11-25T01:00:00Z",
                "event.dataset": "auditd",
                "event.action": "executed",
                "process.executable": "/tmp/xmrig",
                "process.command_line": "/tmp/xmrig -o pool",
                "host.name": "h",
            }
        )
    )
    rows = run("detect", event, "-f", "ndjson", "--rules", folder).rows()
    assert [row["rule.name"] for row in rows] == ["/xmrig"]
    checked = run("rule", "check")
    assert checked.code == 0  # the one that waits for a list is named, and stops nothing
    assert "sigmahq/rules/w.yml:6:1: detection: nothing says" in checked.out.decode()
    assert "sigmahq/rules/a.yml" not in checked.out.decode()
    assert "pieces of advice on imported rules: name their folder" in checked.err
    assert "description: is missing" in run("rule", "check", folder / "sigmahq").out.decode()
    assert run("rule", "import", "--remove", "sigmahq").code == 0
    assert run("rule", "import", "--list").out == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a PATH to import, or --list, or --remove NAME"),
        (["--list", "--remove", "x"], "name a PATH to import"),
        (["/nowhere"], "there is no such file or folder"),
        (["{source}", "--status", "tset"], "unknown status 'tset'"),
        (["{source}", "--level", "severe"], "unknown level 'severe'"),
        (["{source}", "--name", "../x"], "is no name for a collection"),
    ],
)
def test_mistakes(run: Run, source: Path, words: list[str], said: str) -> None:
    ran = run("rule", "import", "--to", source / "to", *(w.format(source=source) for w in words))
    assert ran.code == 2
    assert said in ran.err


def test_a_folder_that_nothing_looks_into(run: Run, source: Path) -> None:
    ran = run("rule", "import", source, "--to", source / "to")
    assert "name it with --rules" in ran.err

"""Collections in place: whole or not at all, with a record, and nothing that stops a run."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import subprocess
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kr_secops.errors import KrSecopsError, UsageError
from kr_secops.rule.bundle import imported, install, origin
from kr_secops.rule.bundle.choice import Choice
from kr_secops.rule.ruleset import load
from tests.rule.bundle.conftest import COMMIT, rule

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 25)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "rules"


def put(
    source: Path, root: Path, *, force: bool = False, choice: Choice | None = None
) -> install.Outcome:
    return install.install(
        origin.read(source),
        root,
        "sigmahq",
        choice or Choice(),
        cache_dir=root.parent / "compiled",
        today=DAY,
        force=force,
    )


def test_a_first_import(checkout: Path, root: Path) -> None:
    outcome = put(checkout, root)
    assert (outcome.loaded, outcome.applying, outcome.rules) == (2, 2, 2)
    folder = root / "sigmahq"
    assert yaml.safe_load((folder / "IMPORT").read_text()) == {
        "source": str(checkout),
        "version": COMMIT,
        "imported": DAY,
        "rules": 2,
        "licence": ["LICENSE"],
    }
    assert (folder / "LICENSE").read_text() == "as it came"
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    assert len(load([root], cache_dir=root.parent / "compiled")) == 2
    assert [path.name for path in root.iterdir()] == ["sigmahq"]
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_second_import_says_what_changed(checkout: Path, root: Path) -> None:
    put(checkout, root)
    (checkout / "rules" / "linux" / "a.yml").write_text(rule(10, "a") + "author: x\n")
    (checkout / "rules" / "linux" / "n.yml").write_text(rule(14, "n"))
    (checkout / "rules-emerging-threats" / "2026" / "b.yml").unlink()
    outcome = put(checkout, root)
    assert outcome.added == ["rules/linux/n.yml"]
    assert outcome.changed == ["rules/linux/a.yml"]
    assert outcome.removed == ["rules-emerging-threats/2026/b.yml"]
    assert not (root / "sigmahq" / "rules-emerging-threats").exists()


def test_the_choice_is_recorded(checkout: Path, root: Path) -> None:
    outcome = put(checkout, root, choice=Choice(products=("linux",)))
    assert (outcome.rules, outcome.not_chosen) == (1, 1)
    (one,) = imported.listed(root)
    assert one.record["chosen"] == {"products": ["linux"]}


def test_what_would_stop_a_run_is_left_out(checkout: Path, root: Path) -> None:
    linux = checkout / "rules" / "linux"
    (linux / "bad.yml").write_text("title: [\n")
    (linux / "twice.yml").write_text(rule(10, "twice"))
    (linux / "waits.yml").write_text(
        rule(15).replace("Image|endswith: 'xmrig'", "Image|expand: '%tools%'")
    )
    (linux / "counts.yml").write_text(
        "title: c\nid: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f99\ncorrelation:\n  type: event_count\n"
        "  rules: [nowhere]\n  group-by: [a]\n  timespan: 1m\n  condition: {gte: 2}\n"
    )
    outcome = put(checkout, root)
    assert set(outcome.left_out) == {
        "rules/linux/bad.yml",
        "rules/linux/twice.yml",
        "rules/linux/counts.yml",
    }
    assert ".import-" not in str(outcome.left_out)
    (waiting,) = outcome.waiting
    assert "(placeholders/tools.txt)" in waiting
    assert len(load([root], cache_dir=root.parent / "compiled")) == 2  # and raises nothing


def test_an_id_that_the_site_has_already(checkout: Path, root: Path) -> None:
    root.mkdir()
    (root / "own.yml").write_text(rule(10, "own"))
    outcome = put(checkout, root)
    assert outcome.left_out == {"rules/linux/a.yml": f"its id is that of {root}/own.yml"}
    assert len(load([root], cache_dir=root.parent / "compiled")) == 2


def test_own_changes_are_not_lost(checkout: Path, root: Path) -> None:
    put(checkout, root)
    changed = root / "sigmahq" / "rules" / "linux" / "a.yml"
    changed.write_text(rule(10, "mine"))
    (root / "sigmahq" / "rules" / "own.yml").write_text(rule(20, "own"))
    with pytest.raises(UsageError, match=r"changed since .*a\.yml, rules/own\.yml; .*--force"):
        put(checkout, root)
    assert "mine" in changed.read_text()
    put(checkout, root, force=True)
    assert "mine" not in changed.read_text()


@pytest.mark.parametrize("name", ["../up", "UPPER", ".hidden", "a/b", ""])
def test_names(checkout: Path, root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a collection"):
        install.install(
            origin.read(checkout), root, name, Choice(), cache_dir=root.parent, today=DAY
        )


def test_what_was_not_imported_stays(checkout: Path, root: Path) -> None:
    (root / "sigmahq").mkdir(parents=True)
    with pytest.raises(UsageError, match="is there already and was not imported"):
        put(checkout, root)


def test_no_rule_is_left(checkout: Path, root: Path) -> None:
    put(checkout, root)
    with pytest.raises(KrSecopsError, match="no rule is left"):
        put(checkout, root, choice=Choice(status="stable"))
    assert imported.at(root, "sigmahq") is not None


def _die_at(step: str, checkout: Path, root: Path) -> None:
    def die(*_: Any) -> None:
        os._exit(9)

    setattr(install, step, die)
    put(checkout, root)


@pytest.mark.parametrize("step", ["_write", "_judge", "write_record", "_exchange"])
def test_a_crash_leaves_the_old_one_whole(checkout: Path, root: Path, step: str) -> None:
    put(checkout, root)
    (checkout / "rules" / "linux" / "a.yml").write_text(rule(10, "new"))
    process = multiprocessing.get_context("fork").Process(
        target=_die_at, args=(step, checkout, root)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    (one,) = imported.listed(root)
    assert one.changed_here() == []
    assert len(load([root], cache_dir=root.parent / "compiled")) == 2
    assert put(checkout, root).changed == ["rules/linux/a.yml"]
    assert [path.name for path in root.iterdir()] == ["sigmahq"]


def test_a_file_system_that_cannot_exchange(
    checkout: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old:
        def __init__(self, *_: Any, **__: Any) -> None: ...
        def syncfs(self, _: int) -> int:
            return 0

        def renameat2(self, *_: Any) -> int:
            ctypes.set_errno(38)
            return -1

    put(checkout, root)
    (checkout / "rules" / "linux" / "a.yml").write_text(rule(10, "new"))
    monkeypatch.setattr(ctypes, "CDLL", Old)
    assert put(checkout, root).changed == ["rules/linux/a.yml"]
    assert [path.name for path in root.iterdir()] == ["sigmahq"]


def test_removing(checkout: Path, root: Path) -> None:
    put(checkout, root)
    with pytest.raises(UsageError, match="holds no collection 'other'; there are: sigmahq"):
        imported.remove(root, "other")
    imported.remove(root, "sigmahq")
    assert list(root.iterdir()) == []

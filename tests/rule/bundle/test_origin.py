"""What is taken out of a checkout or a zip file, and what is not."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import ContentError, UsageError
from kr_secops.rule.bundle import origin
from tests.rule.bundle.conftest import COMMIT, LINK, rule

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rule.bundle.conftest import Pack


def test_a_checkout(checkout: Path) -> None:
    found = origin.read(checkout)
    assert sorted(found.rules) == ["rules-emerging-threats/2026/b.yml", "rules/linux/a.yml"]
    assert found.licences == {"LICENSE": b"as it came"}
    assert (found.version, found.left_out) == (COMMIT, {})


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"HEAD": COMMIT}, COMMIT),
        ({"HEAD": "ref: refs/heads/m", "refs/heads/m": COMMIT}, COMMIT),
        ({"HEAD": "ref: refs/heads/m", "packed-refs": f"{COMMIT} refs/heads/x\n"}, "unknown"),
        ({"HEAD": "ref: refs/../../../etc/passwd"}, "unknown"),
        ({"HEAD": "ref: ../secret", "config": "[core]\n\tfsmonitor = touch pwned"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_commit_is_read_and_nothing_is_run(
    tmp_path: Path, files: dict[str, str], version: str
) -> None:
    for name, text in {**files, "../rules/a.yml": rule()}.items():
        path = tmp_path / "s" / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.resolve().write_text(text) if ".." in name else path.write_text(text)
    assert origin.read(tmp_path / "s").version == version
    assert not list(tmp_path.rglob("pwned"))


def test_the_version_of_a_worktree(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".git").rename(tmp_path / "repository")
    (checkout / ".git").write_text(f"gitdir: {tmp_path}/repository\n")
    assert origin.read(checkout).version == COMMIT


def test_a_folder_of_rules_by_itself(checkout: Path) -> None:
    assert list(origin.read(checkout / "rules").rules) == ["rules/linux/a.yml"]


def test_the_version_of_a_release(tmp_path: Path, pack: Pack) -> None:
    path = pack({"rules/a.yml": rule()})
    assert origin.read(path).version == "unknown"
    renamed = path.rename(tmp_path / "sigma_core-r2026-08-01.zip")
    assert origin.read(renamed).version == "r2026-08-01"
    with zipfile.ZipFile(renamed, "a") as archive:
        archive.comment = COMMIT.encode()
    assert origin.read(renamed).version == COMMIT


def test_the_folder_around_everything_goes(pack: Pack) -> None:
    path = pack({"sigma-master/rules/a.yml": rule(), "sigma-master/LICENSE": "l"})
    found = origin.read(path)
    assert (list(found.rules), list(found.licences)) == (["rules/a.yml"], ["LICENSE"])


def test_a_zip_that_tries_things(pack: Pack) -> None:
    found = origin.read(
        pack(
            {
                "rules/good.yml": rule(),
                "rules/../../../etc/cron.d/evil.yml": "x",
                "/rules/absolute.yml": "x",
                "rules/link.yml": "/etc/shadow",
                "rules/\x1b[2Jname.yml": "x",
                "rules/.hidden.yml": "x",
                "rules/bomb.yml": b"\0" * (8 << 20),
                "rules/windows\\..\\..\\x.yml": "x",
            },
            ruleslinkyml=LINK,
        )
    )
    assert list(found.rules) == ["rules/good.yml"]
    assert set(found.left_out.values()) >= {
        "no plain file",
        "a name that is not plain",
        "larger than 1 MiB",
    }


@pytest.mark.parametrize("first", [0, 1])
def test_names_that_no_folder_can_hold(pack: Pack, first: int) -> None:
    clashing = ["rules/a.yml", "rules/a.yml/b.yml"]
    names = [clashing[first], clashing[1 - first], f"rules/{'a/' * 200}x.yml"]
    found = origin.read(pack({name: rule(name[-5]) for name in names}))
    assert list(found.rules) == names[:1]
    assert list(found.left_out) == names[1:]


def test_links_and_devices_in_a_folder_are_not_followed(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.yml").write_text(rule())
    (checkout / "rules" / "link.yml").symlink_to(tmp_path / "secret.yml")
    (checkout / "rules" / "folder").symlink_to(tmp_path / "outside")
    (checkout / "rules" / "loop").symlink_to(checkout)
    os.mkfifo(checkout / "rules" / "pipe.yml")
    found = origin.read(checkout)
    assert len(found.rules) == 2
    assert found.left_out == {"rules/link.yml": "no plain file", "rules/pipe.yml": "no plain file"}


def test_too_much(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "MOST_FILES", 1)
    with pytest.raises(ContentError, match="more than 1 rules"):
        origin.read(checkout)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"PK" * 500])
def test_no_zip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(ContentError, match="no zip file that can be read"):
        origin.read(path)


def test_a_damaged_zip(pack: Pack) -> None:
    path = pack({"rules/a.yml": rule() * 50})
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(bytes(data))
    with pytest.raises(ContentError, match=r"x?\.zip:1:1: "):
        origin.read(path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no folder rules"):
        origin.read(tmp_path)

"""Collections as they come: a checkout, and a zip file that tries things."""

from __future__ import annotations

import stat
import zipfile
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
title: {title}
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f{number:02}
status: {status}
level: {level}
logsource: {{product: {product}, category: process_creation}}
detection:
  s: {{Image|endswith: '{title}'}}
  condition: s
"""
LINK = (stat.S_IFLNK | 0o777) << 16
COMMIT = "8eaafff1f2840c0fa3f9b1a0de43d1b6b3a4c5d6"


def rule(number: int = 10, title: str = "xmrig", **more: str) -> str:
    values = {"status": "test", "level": "high", "product": "linux"} | more
    return RULE.format(number=number, title=title, **values)


class Pack(Protocol):
    def __call__(self, files: dict[str, str | bytes], **modes: int) -> Path: ...


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "sigma"
    for name, text in {
        "LICENSE": "as it came",
        "README.md": "no rule",
        "rules/linux/a.yml": rule(10, "a"),
        "rules-emerging-threats/2026/b.yml": rule(11, "b", product="windows", level="low"),
        "unsupported/c.yml": rule(12, "c"),
        "tests/d.yml": rule(13, "d"),
        ".git/HEAD": "ref: refs/heads/master\n",
        ".git/packed-refs": f"# pack-refs\n{COMMIT} refs/heads/master\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Write a zip file; a mode by the name without its dots and slashes makes a link."""

    def write(files: dict[str, str | bytes], **modes: int) -> Path:
        path = tmp_path / "sigma_all_rules.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = modes.get("".join(filter(str.isalnum, name)), 0)
                archive.writestr(info, data)
        return path

    return write

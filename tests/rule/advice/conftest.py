"""One rule in, its advice out: ``line:column: key: problem``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from kr_secops.rule.lint import check

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.rule.lint import Surroundings

HEAD = """\
title: t
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10
description: d
status: test
level: low
logsource: {product: windows, category: process_creation}
"""
LINES = HEAD.count("\n")


class Advise(Protocol):
    def __call__(self, detection: str, around: Surroundings | None = None) -> list[str]: ...


@pytest.fixture
def advise(tmp_path: Path) -> Advise:
    """Return the remarks on a rule with this detection; its first line is line 1."""

    def remarks(detection: str, around: Surroundings | None = None) -> list[str]:
        path = tmp_path / "x.yml"
        path.write_text(HEAD + detection)
        found = [str(remark).removeprefix(f"{path}:") for remark in check([path], around)]
        parts = [text.partition(":") for text in found]
        return [f"{int(line) - LINES}:{rest}" for line, _, rest in parts]

    return remarks

"""Rule sets made on the spot."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.rule.ruleset import Ruleset


def rule(detection: Any, **more: Any) -> dict[str, Any]:
    """A rule in ECS about sshd, or what *more* says."""
    title = more.pop("title", "probe")
    return {
        "title": title,
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, title)),
        "taxonomy": "ecs",
        "level": "low",
        "logsource": {"product": "linux", "service": "sshd"},
        "detection": detection,
        **more,
    }


@pytest.fixture
def make_rules(tmp_path: Path) -> Callable[..., Ruleset]:
    """Write documents to a folder of their own and load it."""

    def make(*documents: dict[str, Any], **options: Any) -> Ruleset:
        folder = tmp_path / f"rules-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        text = "\n---\n".join(json.dumps(one, ensure_ascii=False) for one in documents)
        (folder / "rules.yml").write_text(text)
        for name, values in options.pop("lists", {}).items():
            (folder / "placeholders").mkdir(exist_ok=True)
            (folder / "placeholders" / f"{name}.txt").write_text("\n".join(values))
        return load([folder], cache_dir=tmp_path / "compiled", **options)

    return make

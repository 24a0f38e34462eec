"""Where rules, collectors and playbooks lie: shipped, from the distribution, the site, the user."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path


def shipped(kind: str) -> Path:
    """Return the shipped folder of *kind*: inside the package in a wheel, beside it in a checkout."""
    inside = Path(str(files("kr_secops"))) / "content" / kind
    return inside if inside.is_dir() else Path(__file__).resolve().parents[1] / kind


def search_path(kind: str) -> list[Path]:
    """Return the existing folders of *kind*; a later one wins by the id of what it holds.

    Shipped, then ``/usr/share/kr-secops``, ``/etc/kr-secops``, ``$XDG_CONFIG_HOME/kr-secops``.
    """
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    candidates = [
        shipped(kind),
        Path("/usr/share/kr-secops") / kind,
        Path("/etc/kr-secops") / kind,
        home / "kr-secops" / kind,
    ]
    return [folder for folder in candidates if os.path.isdir(folder)]  # noqa: PTH112 (never raises)


def own(kind: str) -> Path:
    """Return the folder where this user's own *kind* goes: root's is the site's."""
    if os.geteuid() == 0:
        return Path("/etc/kr-secops") / kind
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "kr-secops" / kind

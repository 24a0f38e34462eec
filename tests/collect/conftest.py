"""What the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def estate() -> Path:
    """The recorded day of two servers."""
    return Path(__file__).resolve().parents[1] / "estate"

"""What is kept: findings and positions in one SQLite file, events in an archive, both shipped."""

from __future__ import annotations

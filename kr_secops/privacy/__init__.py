"""Personal data: found by pattern, check and context; masked before anything is kept."""

from __future__ import annotations

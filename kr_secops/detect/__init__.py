"""The engine: which rules an event matches, and what comes of many matches in a window of time."""

from __future__ import annotations

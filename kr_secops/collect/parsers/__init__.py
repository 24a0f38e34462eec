"""Parsers: pure functions from the text of a record to what it says."""

from __future__ import annotations

"""Collectors: inputs read, parsers understand, events come out."""

from __future__ import annotations

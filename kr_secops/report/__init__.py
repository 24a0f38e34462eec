"""Findings told to people and programs: one report, a writer per format."""

from __future__ import annotations

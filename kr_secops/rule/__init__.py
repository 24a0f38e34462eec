"""Rules: Sigma 2.1 files read, checked, and compiled for the engine."""

from __future__ import annotations

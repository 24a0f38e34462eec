"""Security and data-protection monitoring: collectors, rules, findings, reports."""

from __future__ import annotations

__version__ = "0.1.0"

"""Inputs: each reads one kind of source and yields blocks of whole records."""

from __future__ import annotations

"""The command line: options in, a pipeline call, a format out."""

from __future__ import annotations

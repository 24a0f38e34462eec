"""Fetches and arranges the servers that the tests start: ``python -m tests.store.elastic.build``."""

from __future__ import annotations

import sys

from tests.store.elastic import older, server


def main() -> int:
    """Build both, or as many as this machine can run; return whether one is lacking."""
    lacking = 0
    for age in (server, older):
        try:
            sys.stdout.write(f"{age.build()}\n")
        except server.MissingError as e:
            lacking = 1
            sys.stderr.write(f"Elasticsearch {age.VERSION}: needs {e}\n")
    return lacking


if __name__ == "__main__":
    sys.exit(main())

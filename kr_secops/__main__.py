"""``kr-secops`` and ``python -m kr_secops``."""

from __future__ import annotations

import sys

from kr_secops.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

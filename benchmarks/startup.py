"""Start-up: the help, and a first look at one line, against importing typer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from harness import KR_SECOPS, Contender, compare, show

LINE = "2026-11-17T08:00:00+07:00 web-izin CRON[1]: (root) CMD (true)\n"


def main() -> None:
    """Print the three figures."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "auth.log"
        log.write_text(LINE)
        figures = compare(
            [
                Contender("kr-secops --help", [*KR_SECOPS, "--help"]),
                Contender(
                    "kr-secops detect, one line, rules cached", [*KR_SECOPS, "detect", str(log)]
                ),
                Contender("python -c 'import typer'", [sys.executable, "-c", "import typer"]),
            ]
        )
    show(figures)


if __name__ == "__main__":
    main()

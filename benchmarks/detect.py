"""Throughput of ``detect`` on a million lines, quiet and attacked, against grep -cE."""

from __future__ import annotations

from harness import KR_SECOPS, Contender, compare, generated, show

LINES = 1_000_000
PATTERN = "Failed password for (invalid user )?[^ ]+ from|union.+select"


def main() -> None:
    """Print two rows a log."""
    for kind in ("quiet-auth", "auth", "quiet-access", "access"):
        log = str(generated(kind, LINES))
        us, peer = f"detect, {kind}", f"grep -cE, one pattern, {kind}"
        figures = compare(
            [
                Contender(us, [*KR_SECOPS, "detect", "-f", "ndjson", log]),
                Contender(peer, ["sh", "-c", f"LC_ALL=C grep -cE '{PATTERN}' {log} || true"]),
            ]
        )
        show(figures, dict.fromkeys((us, peer), LINES), "lines")


if __name__ == "__main__":
    main()

"""Every line parsed, masked, matched and archived, against lognormalizer, which only parses.

The peer is liblognorm's own command (Debian: liblognorm-utils); without it only we are timed.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

from harness import KR_SECOPS, Contender, compare, generated, show

if TYPE_CHECKING:
    from pathlib import Path

LINES = 1_000_000
RULEBASE = """version=2
rule=:%stamp:word% %host:word% %program:char-to:[%[%pid:number%]: %message:rest%
rule=:%month:word% %day:number% %time:word% %host:word% %program:char-to:[%[%pid:number%]: %message:rest%
rule=:%ip:word% %ident:word% %user:word% [%time:char-to:]%] "%request:char-to:"%" %status:number% %bytes:word% "%referrer:char-to:"%" "%agent:char-to:"%"
"""


def main() -> None:
    """Print a row or two a log."""
    with tempfile.NamedTemporaryFile("w", suffix=".rb") as rulebase:
        rulebase.write(RULEBASE)
        rulebase.flush()
        for kind in ("quiet-auth", "auth", "quiet-access", "access"):
            log: Path = generated(kind, LINES)
            us, peer = f"scan, {kind}", f"lognormalizer, {kind}"
            contenders = [
                Contender(us, [*KR_SECOPS, "scan", "-f", "ndjson", str(log)], fresh_state=True)
            ]
            if shutil.which("lognormalizer"):
                command = f"lognormalizer -r {rulebase.name} -e json < {log}"
                contenders.append(Contender(peer, ["sh", "-c", command]))
            figures = compare(contenders, runs=3)
            show(figures, dict.fromkeys((us, peer), LINES), "events")


if __name__ == "__main__":
    main()

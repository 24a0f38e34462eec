"""Cost of rules: a tenth of SigmaHQ's rules against all of them, on the same events.

python benchmarks/rules.py PATH/TO/sigma [EVTX_OR_LOG_FOLDER]

PATH/TO/sigma holds ``rules``, ``rules-emerging-threats`` and ``rules-threat-hunting``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from harness import KR_SECOPS, Contender, compare, generated, show

FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")


def main(sigma: Path, inputs: list[str]) -> None:
    """Print, for each input, all rules against a tenth."""
    paths = sorted(path for folder in FOLDERS for path in (sigma / folder).rglob("*.yml"))
    with tempfile.TemporaryDirectory() as folder:
        for name, chosen in (("all", paths), ("tenth", paths[::10])):
            target = Path(folder) / name
            target.mkdir()
            for i, path in enumerate(chosen):
                shutil.copyfile(path, target / f"{i:04}-{path.name}")
        for log in inputs:
            contenders = [
                Contender(
                    f"{len(paths) if name == 'all' else len(paths[::10])} rules, {Path(log).name}",
                    [
                        *KR_SECOPS,
                        "detect",
                        "--skip-invalid",
                        "--matches",
                        "--rules",
                        str(Path(folder) / name),
                        log,
                    ],
                )
                for name in ("all", "tenth")
            ]
            show(compare(contenders))


if __name__ == "__main__":
    defaults = [str(generated(kind, 1_000_000)) for kind in ("quiet-auth", "access")]
    main(Path(sys.argv[1]), sys.argv[2:] or defaults)

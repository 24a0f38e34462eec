"""Make ``kr_secops/privacy/regions.txt`` anew from lists of district codes.

    python packaging/refresh_regions.py CURRENT.json UNION.json

Both are JSON lists of six-digit codes: those in force, and those with every code that ever was.
Taken from cahyadsn/wilayah (MIT), which follows Kepmendagri 300.2.2-2430/2025.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import groupby
from pathlib import Path

HEAD = """\
# District (kecamatan) codes of Indonesia, the first six digits of NIK and KK.
# Codes in force: Kepmendagri 300.2.2-2430/2025; after "historical": codes of earlier decrees,
# which people keep for life. Source: https://github.com/cahyadsn/wilayah (MIT licence, by
# cahyadsn); the codes only. Made by packaging/refresh_regions.py.
# A line is a regency (four digits) and its districts (two digits, or a range of them).
"""


def lines(codes: set[str]) -> list[str]:
    """Return one line a regency: ``6112 01-09``."""
    result = []
    for regency, group in groupby(sorted(codes), key=lambda code: code[:4]):
        runs: list[list[int]] = []
        for district in (int(code[4:]) for code in group):
            if runs and runs[-1][1] == district - 1:
                runs[-1][1] = district
            else:
                runs.append([district, district])
        parts = [f"{a:02d}" if a == b else f"{a:02d}-{b:02d}" for a, b in runs]
        result.append(f"{regency} {' '.join(parts)}")
    return result


def main(current: Path, union: Path) -> None:
    """Write the table."""
    now, ever = set(json.loads(current.read_text())), set(json.loads(union.read_text()))
    assert all(re.fullmatch("[0-9]{6}", code) for code in now | ever), "codes have six digits"
    target = Path(__file__).resolve().parents[1] / "kr_secops" / "privacy" / "regions.txt"
    target.write_text(HEAD + "\n".join([*lines(now), "historical", *lines(ever - now)]) + "\n")
    print(f"{target}: {len(now)} codes in force, {len(ever - now)} historical")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

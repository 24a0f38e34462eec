"""Make ``kr_secops/ecs.tsv`` anew from a checkout of the Elastic Common Schema (elastic/ecs).

    python packaging/refresh_ecs.py PATH/TO/ecs

Takes names, types and allowed values (facts; the schema is Apache-2.0), none of its text.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import yaml

ALLOWED = ("event.kind", "event.category", "event.type", "event.outcome")


def main(checkout: Path) -> None:
    """Write the table: version, allowed values, expected types, then a field a line."""
    version = (checkout / "version").read_text().strip()
    flat = yaml.load(
        (checkout / "generated/ecs/ecs_flat.yml").read_bytes(), Loader=yaml.CSafeLoader
    )
    lines = [f"#version\t{version}"]
    for name in ALLOWED:
        values = flat[name]["allowed_values"]
        lines.append(f"#allowed\t{name}\t{' '.join(value['name'] for value in values)}")
        lines += [
            f"#types\t{value['name']}\t{' '.join(value['expected_event_types'])}"
            for value in values
            if value.get("expected_event_types")
        ]
    with (checkout / "generated/csv/fields.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            array = "\tarray" if row["Normalization"] == "array" else ""
            lines.append(f"{row['Field']}\t{row['Type']}{array}")
    target = Path(__file__).resolve().parents[1] / "kr_secops" / "ecs.tsv"
    target.write_text("\n".join(lines) + "\n")
    print(f"{target}: ECS {version}, {len(lines)} lines")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

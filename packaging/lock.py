"""Write ``requirements.lock`` and ``requirements-dev.lock`` beside this file, with hashes.

    python packaging/lock.py

The first holds what the product needs and what installs it from a checkout, the second adds what
tests and linters need. `pip install --require-hashes -r` then installs the same bytes everywhere.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = ["hatchling>=1.27", "editables>=0.5"]


def main() -> None:
    """Resolve both sets for Python 3.11 and write them."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"] + BUILD
    resolve(runtime, "requirements.lock")
    resolve(runtime + project["dependency-groups"]["dev"], "requirements-dev.lock")


def resolve(requirements: list[str], name: str) -> None:
    """Write the locked form of *requirements* to *name*, keeping versions locked before."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write("\n".join(requirements))
        wanted.flush()
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header"]
        command += ["--generate-hashes", "--no-annotate", "--no-emit-index-url", "--universal"]
        command += ["--python-version", "3.11", "--output-file", str(HERE / name)]
        subprocess.run([*command, wanted.name], check=True)


if __name__ == "__main__":
    main()

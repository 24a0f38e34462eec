"""The oldest Elasticsearch that we serve, 8.19, as published for integration tests, and its client.

Runs on Java 17, the one of Debian 12, and refuses to run as root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tests.store.elastic import server

VERSION: Final = "8.19.21"
CLIENT: Final = "8.19.3"
JAVA: Final = 17
NOBODY: Final = 65534
GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"


def home() -> Path:
    """Return the folder of the server that `build` made."""
    server.jdk(JAVA)
    return server.ready(VERSION)


def client() -> Path:
    """Return the folder that holds the client of the same age, for ``PYTHONPATH``."""
    return home() / "client"


def build() -> Path:
    """Fetch the server and its client unless that was done before."""
    java, folder = server.jdk(JAVA), server.cache() / VERSION
    if (folder / "READY").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as fetched:
        artifact = f"-Dartifact={GROUP}:elasticsearch:{VERSION}:zip"
        server.fetch("dependency:copy", artifact, f"-DoutputDirectory={fetched}")
        with zipfile.ZipFile(Path(fetched) / f"elasticsearch-{VERSION}.zip") as archive:
            archive.extractall(server.cache())
    (server.cache() / f"elasticsearch-{VERSION}").rename(folder)
    plugin = folder / "plugins" / "root"
    plugin.mkdir(parents=True)
    server.compile_java(java, folder / "lib", "root8", plugin / "root.jar", "--release", "17")
    server.describe(plugin, "root", "RootPlugin", VERSION)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / "client")]
    subprocess.run([*pip, f"elasticsearch=={CLIENT}"], check=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    (folder / "READY").touch()
    return folder


class Node(server.Node):
    """One node of 8.19 on the loopback address: HTTPS and a user."""

    user_id = NOBODY if os.geteuid() == 0 else None

    def command(self) -> list[object]:
        base = home()
        shutil.copy(base / "config" / "log4j2.properties", self.config)
        lines = (base / "config" / "jvm.options").read_text().splitlines(keepends=True)
        # Its log of collections goes to a folder below the server's, which others own.
        kept = [line for line in lines if "-Xlog:gc" not in line]
        (self.config / "jvm.options").write_text("".join(kept))
        settings = {name: value for name, value in self.settings().items() if name != "path.home"}
        text = "".join(f'{name}: "{value}"\n' for name, value in settings.items())
        (self.config / "elasticsearch.yml").write_text(text)
        if self.user_id is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self.user_id, self.user_id)
        return [
            server.jdk(JAVA) / "bin" / "java",
            *("-Xmx64m", "-XX:+UseSerialGC", "-Dcli.name=server", "-Dcli.script=elasticsearch"),
            *("-Dcli.libs=lib/tools/server-cli", "-Des.distribution.type=zip"),
            *("-Des.java.type=ES_JAVA_HOME", f"-Des.path.home={base}"),
            f"-Des.path.conf={self.config}",
            *("-cp", f"{base}/lib/*:{base}/lib/cli-launcher/*"),
            "org.elasticsearch.launcher.CliToolLauncher",
        ]

    def environment(self) -> dict[str, str]:
        return {
            "ES_JAVA_OPTS": "-Xms256m -Xmx256m -XX:-AlwaysPreTouch -XX:TieredStopAtLevel=1",
            "ES_PATH_CONF": str(self.config),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_HOME": str(home()),
            "HOME": str(self.folder),
        }

    def directory(self) -> Path:
        return home()

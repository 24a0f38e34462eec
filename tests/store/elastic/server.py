"""A real Elasticsearch for the tests, made of what Maven Central has; nothing is pretended.

``python -m tests.store.elastic.build`` fetches and arranges it once; see README.md.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes.util
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

VERSION = "9.5.3"
JAVA = 21
HERE = Path(__file__).resolve().parent

# Which jar belongs to which module; the server refuses a class that it sees twice.
NETTY = re.compile(r"netty-|transport-netty4-|elasticsearch-ssl-config-")
CORE = re.compile(
    r"x-pack-core-|http(async)?client-4|httpcore-|httpasyncclient-|commons-(codec|logging)-|log4j-"
    r"|slf4j-api-|unboundid-|httpclient5-|httpcore5-|icu4j-"
)
DOUBLED = re.compile(r"listenablefuture|jcip-annotations-1\.0-1|jakarta\.activation-api")


class MissingError(Exception):
    """Something that this machine lacks; the tests are skipped by that name."""


def cache() -> Path:
    default = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
    return Path(os.environ.get("ELASTIC_FOR_TESTS") or default / "kr-secops-elastic")


def jdk(oldest: int = JAVA) -> Path:
    """Return the home of the first JDK that is new enough."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if compiler := shutil.which("javac"):
        homes.append(Path(compiler).resolve().parents[1])
    for home in [*homes, *sorted(Path("/usr/lib/jvm").glob("*"))]:
        release = home / "release"
        if (home / "bin" / "javac").exists() and release.exists():
            version = re.search(r'JAVA_VERSION="(\d+)', release.read_text())
            if version and int(version[1]) >= oldest:
                return home
    raise MissingError(f"a JDK, {oldest} or newer")


def home() -> Path:
    """Return the folder of the server that `build` made."""
    jdk()
    return ready(VERSION)


def ready(version: str) -> Path:
    """Return the folder in the cache that a build finished."""
    folder = cache() / version
    if not (folder / "READY").exists():
        raise MissingError("`python -m tests.store.elastic.build`")
    return folder


def build() -> Path:
    """Fetch and arrange the server unless that was done before; return its folder."""
    java, folder = jdk(), cache() / VERSION
    if (folder / "READY").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    lib, modules = folder / "lib", folder / "modules"
    netty, core, security, root = (modules / name for name in ("netty", "core", "security", "root"))
    for part in (lib, netty, core, security, root):
        part.mkdir(parents=True)
    _resolve(lib)
    for jar in lib.iterdir():
        if NETTY.match(jar.name):
            jar.rename(netty / jar.name)
    _resolve(folder / "all", "-P", "security")
    present = {jar.name for jar in (*lib.iterdir(), *netty.iterdir())}
    for jar in (folder / "all").iterdir():
        if jar.name not in present and not DOUBLED.match(jar.name):
            jar.rename((core if CORE.match(jar.name) else security) / jar.name)
    shutil.rmtree(folder / "all")
    for jar in netty.iterdir():
        shutil.copy(jar, core if jar.name.startswith("elasticsearch-ssl-config-") else security)
    compile_java(java, lib, "main", folder / "server.jar")
    compile_java(java, lib, "root", root / "root.jar")
    compile_java(java, lib, "stubs", security / "stubs.jar")
    xpack = "org.elasticsearch.xpack"
    describe(netty, "transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin")
    describe(root, "root", "RootPlugin")
    describe(core, "x-pack-core", f"{xpack}.core.XPackPlugin")
    describe(security, "x-pack-security", f"{xpack}.security.Security", extended="x-pack-core")
    _link_zstd(folder / "native")
    (folder / "READY").touch()
    return folder


def fetch(*arguments: str) -> None:
    """Run Maven."""
    if shutil.which("mvn") is None:
        raise MissingError("Maven")
    done = subprocess.run(
        ["mvn", "-B", "-q", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MissingError(f"what Maven could not fetch: {done.stdout[-2000:]}")


def _resolve(folder: Path, *options: str) -> None:
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")
    fetch("-f", str(HERE / "pom.xml"), f"-Delastic={VERSION}", *options, *goal)


def compile_java(java: Path, lib: Path, part: str, jar: Path, *options: str) -> None:
    """Make *jar* of the sources in ``java/<part>``."""
    with tempfile.TemporaryDirectory() as classes:
        sources = sorted((HERE / "java" / part).rglob("*.java"))
        compiler = [java / "bin" / "javac", "-nowarn", *options, "-cp", f"{lib}/*", "-d", classes]
        subprocess.run([*compiler, *sources], check=True)
        subprocess.run([java / "bin" / "jar", "cf", jar, "-C", classes, "."], check=True)


def describe(
    folder: Path, name: str, plugin: str, version: str = VERSION, extended: str = ""
) -> None:
    """Say which plugin the jars in *folder* are."""
    (folder / "plugin-descriptor.properties").write_text(
        f"name={name}\ndescription={name}\nversion={version}\nelasticsearch.version={version}\n"
        f"classname={plugin}\nextended.plugins={extended}\njava.version=17\n"
        "has.native.controller=false\n"
    )


def _link_zstd(folder: Path) -> None:
    """The jars hold no native library; the system's zstd serves indices that want it."""
    folder.mkdir()
    name = ctypes.util.find_library("zstd")
    for path in Path("/usr/lib").glob(f"*/{name}"):
        (folder / "libzstd.so").symlink_to(path)


class Node:
    """One node on the loopback address: HTTPS, a user, API keys, its own data folder."""

    user = "tester"
    password = "only-for-tests"
    user_id: int | None = None
    """Whom the server runs as; None: whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.config.mkdir(parents=True)
        (folder / "tmp").mkdir()
        self.port, self.transport = _free_port(), _free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca = self.config / "http.crt"
        self.process: subprocess.Popen[bytes] | None = None
        _make_certificate(self.config)
        salt = os.urandom(32)
        key = hashlib.pbkdf2_hmac("sha512", self.password.encode(), salt, 10000, 32)
        text = "$".join(base64.b64encode(part).decode() for part in (salt, key))
        (self.config / "users").write_text(f"{self.user}:{{PBKDF2}}10000${text}\n")
        (self.config / "users_roles").write_text(f"superuser:{self.user}\n")

    def settings(self) -> dict[str, object]:
        return {
            "path.home": self.folder,
            "path.data": self.folder / "data",
            "path.logs": self.folder / "logs",
            "cluster.name": "kr-secops-tests",
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": self.transport,
            # A nearly full disk must not turn the indices read-only.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "xpack.security.enabled": "true",
            "xpack.security.authc.api_key.enabled": "true",
            "xpack.security.http.ssl.enabled": "true",
            "xpack.security.http.ssl.key": "http.key",
            "xpack.security.http.ssl.certificate": "http.crt",
        }

    def command(self) -> list[object]:
        base = home()
        return [
            jdk() / "bin" / "java",
            *("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"),
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            f"-Des.path.home={self.folder}",
            f"-Des.nativelibs.path={base / 'native'}",
            "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
            *("-cp", f"{base / 'server.jar'}:{base / 'lib'}/*", "Server", base / "modules"),
            *(f"{name}={value}" for name, value in self.settings().items()),
        ]

    def environment(self) -> dict[str, str]:
        return {}

    def directory(self) -> Path:
        return self.folder

    def start(self) -> None:
        """Start, and wait until it is healthy; a restart on the same data takes longest."""
        command = [str(word) for word in self.command()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], **self.environment()},
                cwd=self.directory(),
                stdout=log,
                stderr=log,
                user=self.user_id,
                group=self.user_id,
                extra_groups=None if self.user_id is None else [],
                start_new_session=True,
            )
        deadline = time.monotonic() + 120
        while True:
            try:
                self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    raise RuntimeError((self.folder / "log").read_text()[-4000:]) from None
                time.sleep(0.2)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send one request as the superuser; return the JSON of the answer."""
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        context = ssl.create_default_context(cafile=str(self.ca))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            e.close()  # it is the answer as well, with its connection
            raise

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it, if it runs."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            self.process.wait(30)
            self.process = None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _make_certificate(folder: Path) -> None:
    if shutil.which("openssl") is None:
        raise MissingError("openssl")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=kr-secops-tests", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "http.key"), "-out", str(folder / "http.crt")),
        ],
        check=True,
        capture_output=True,
    )

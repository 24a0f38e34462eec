"""A report of the sample findings, golden files, and a headless Chromium over plain WebDriver."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.collect.interface import Skipped
from kr_secops.report.interface import Collected, Report, writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)
COLLECTED = Collected(
    events={"sshd": 5120, "nginx.access": 20911, "laravel": 988, "windows": 4471},
    lines={
        "/var/log/auth.log": 48211,
        "/var/log/nginx/izin.access.log": 1833012,
        "/var/www/izin/storage/logs/laravel.log": 9120,
    },
    rejected={"/var/www/izin/storage/logs/laravel.log": 12},
    skipped=(Skipped("/var/log/audit/audit.log", "Permission denied"),),
)
AGENCY = "Dinas Komunikasi dan Informatika Kabupaten Contoh"


@pytest.fixture
def findings() -> list[bytes]:
    """The lines of ``findings.ndjson``: sixteen synthetic findings of three days."""
    return (HERE / "findings.ndjson").read_bytes().splitlines()


@pytest.fixture
def sample(findings: list[bytes]) -> Callable[..., Report]:
    """Makes the report of some lines, else of all, with what the test wants otherwise."""

    def make(lines: list[bytes] | None = None, **changes: Any) -> Report:
        context = {
            "generated": NOW,
            "collected": COLLECTED,
            "agency": AGENCY,
            "prepared_by": "Bidang Persandian",
            "run": "2026-11-19-7f3a",
            "version": "0.0.0",
            "rules": {str(n): f"rule {n}" for n in range(214)},
        }
        return Report.from_documents(lines or findings, **(context | changes))

    return make


@pytest.fixture
def written() -> Callable[..., bytes]:
    """Writes a report in a format and returns the bytes."""

    def write(report: Report, name: str, **options: Any) -> bytes:
        stream = io.BytesIO()
        writer(name)(report, stream, **options)
        return stream.getvalue()

    return write


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares text with a golden file; ``GOLDEN=write`` writes it anew."""

    def compare(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if os.environ.get("GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="")
        with path.open(encoding="utf-8", newline="") as file:
            assert text == file.read()

    return compare


ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]


class Browser:
    """One session; every method is one WebDriver or DevTools command."""

    def __init__(self, address: str, profile: Path, *, script: bool) -> None:
        self._address = address
        options: dict[str, Any] = {"args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        if not script:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = self._send("/session", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/session/{session['sessionId']}"
        self._send("/url", {"url": "about:blank"})
        self.requests()

    def _send(self, path: str, body: dict[str, Any] | None, method: str = "POST") -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def open(self, page: Path) -> None:
        self._send("/url", {"url": page.as_uri()})

    def size(self, width: int, height: int = 900) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self._send("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def run(self, script: str) -> Any:
        """Return what *script* returns; the driver may run scripts where the page may not."""
        return self._send("/execute/sync", {"script": script, "args": []})

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self._send("/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """Return the addresses the page asked for, its own included."""
        entries = self._send("/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            m["params"]["request"]["url"]
            for m in messages
            if m["method"] == "Network.requestWillBeSent"
        ]

    def pdf(self) -> bytes:
        return base64.b64decode(self._send("/print", {"page": {"width": 21, "height": 29.7}}))

    def screenshot(self, path: Path) -> None:
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._send("", None, "DELETE")


@contextmanager
def browsing(profile: Path, *, script: bool = True) -> Iterator[Browser]:
    """Yield a browser with a fresh *profile*, with or without JavaScript; end it afterwards."""
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    try:
        started = (re.search(r"successfully on port (\d+)", line) for line in driver.stdout)
        port = next(m[1] for m in started if m)
        session = Browser(f"http://127.0.0.1:{port}", profile, script=script)
        try:
            yield session
        finally:
            session.close()
    finally:
        driver.terminate()
        driver.wait(10)
        driver.stdout.close()


@pytest.fixture(params=["script", "no script"])
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Browser]:
    """A browser that runs scripts, and one that does not."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} (Debian: chromium, chromium-driver)")
    with browsing(tmp_path / "profile", script=request.param == "script") as session:
        yield session

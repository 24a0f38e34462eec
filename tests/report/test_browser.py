"""The HTML report in a real browser: silent, alone, within its width, whole without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

SEEN = """
return {
  width: document.documentElement.scrollWidth,
  beyond: [...document.querySelectorAll("body *")]
    .filter((e) => !e.closest(".skip, .unseen, .wide, svg") && e.checkVisibility())
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 120)),
  articles: [...document.querySelectorAll("article")].filter((e) => e.checkVisibility()).length,
  records: [...document.querySelectorAll("pre code")].filter((e) => e.checkVisibility()).length,
  tools: document.querySelectorAll(".tools").length,
  owned: "owned" in window,
};
"""
"""What a reader can see, and whether it lies within the page."""

ATTACK = (
    b"</script><script>owned=1</script><img src=http://192.0.2.1/x onerror=owned=1>"
    b"<style>@import 'http://192.0.2.1/'</style>\\u202e\\u0000{{7*7}}"
)


@pytest.fixture
def shown(
    browser: Any, sample: Callable[..., Any], written: Callable[..., bytes], tmp_path: Path
) -> Callable[..., Any]:
    """Opens the report of some lines in the browser and returns report and address."""

    def show(lines: list[bytes] | None = None, **changes: Any) -> Any:
        report = sample(lines, **changes)
        page = tmp_path / "report.html"
        page.write_bytes(written(report, "html"))
        browser.open(page)
        return report, page.as_uri()

    return show


def test_the_page_stands_alone(browser: Any, shown: Callable[..., Any]) -> None:
    report, address = shown()
    for width in (360, 1280):
        browser.size(width)
        seen = browser.run(SEEN)
        assert seen["width"] <= width
        assert seen["beyond"] == []
        assert seen["articles"] == len(report.findings)
        evidence = sum(len(f.evidence) for f in report.findings)
        assert seen["records"] == (0 if seen["tools"] else evidence)
    assert browser.pdf().startswith(b"%PDF-")
    assert browser.complaints() == []
    assert browser.requests() == [address]


def test_hostile_findings_stay_text(
    browser: Any, shown: Callable[..., Any], findings: list[bytes]
) -> None:
    lines = [
        line.replace(b"SSH", ATTACK).replace(b"operator", b"o" * 900).replace(b"sqlmap/", ATTACK)
        for line in findings
    ]
    report, address = shown(lines, agency=ATTACK.decode(), run=ATTACK.decode())
    assert report.malformed == 0
    browser.size(360)
    seen = browser.run(SEEN)
    assert (seen["width"] <= 360, seen["beyond"], seen["owned"]) == (True, [], False)
    assert browser.complaints() == []
    assert browser.requests() == [address]


@pytest.mark.parametrize("browser", ["script"], indirect=True)
def test_the_script_filters_sorts_and_opens(browser: Any, shown: Callable[..., Any]) -> None:
    shown(language="en")
    rows = "[...document.querySelectorAll('.overview tbody tr')].filter((e) => !e.hidden)"
    browser.run(
        "const box = document.querySelector('input[type=search]');"
        "box.value = 'etc%2fpasswd'; box.dispatchEvent(new Event('input'));"
    )
    found = browser.run(f"return {rows}.map((e) => e.querySelector('a').textContent)")
    assert found == ["PHP executed from an upload folder (web shell)"]
    assert browser.run("return document.querySelector('.count').textContent") == (
        "1 of 16 findings shown"
    )
    browser.run(
        "const box = document.querySelector('input[type=search]');"
        "box.value = ''; box.dispatchEvent(new Event('input'));"
        "document.querySelector('input[value=high]').click();"
    )
    assert browser.run(f"return {rows}.length") == 9
    browser.run("document.querySelectorAll('.overview thead button')[5].click()")
    counts = browser.run(f"return {rows}.map((e) => +e.cells[5].dataset.value)")
    assert counts == sorted(counts)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("return document.querySelectorAll('details:not([open])').length") == 0

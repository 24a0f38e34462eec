"""Loading: what is refused and why, and a cache that is quick, safe and never stale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.detect.engine import Engine
from kr_secops.errors import ContentError, UsageError
from kr_secops.rule import build
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.rule.ruleset import Ruleset

RULE = """\
title: {title}
id: {id}
name: {title}
taxonomy: ecs
level: {level}
logsource:
  product: linux
  service: sshd
detection:
  s:
    user.name: {user}
  condition: s
"""
ID = "9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f1{}"


def write(folder: Path, name: str = "a", number: int = 0, **more: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"title": name, "id": ID.format(number), "level": "low", "user": "root"} | more
    path = folder / f"{name}.yml"
    path.write_text(RULE.format(**values))
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    write(tmp_path / "rules")
    return tmp_path / "rules"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "compiled"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts compilations."""
    counts: list[int] = []
    real = build.compile_files

    def counting(*arguments: Any) -> bytes:
        counts.append(1)
        return real(*arguments)

    monkeypatch.setattr(build, "compile_files", counting)
    return counts


def matches(ruleset: Ruleset, user: str) -> int:
    return len(Engine(ruleset).feed({"event.dataset": "sshd", "user.name": user}))


def test_a_second_load_compiles_nothing(rules: Path, cache: Path, compiled: list[int]) -> None:
    for _ in range(3):
        ruleset = load([rules], cache_dir=cache)
        assert [rule.title for rule in ruleset.rules] == ["a"]
        assert matches(ruleset, "ROOT") == 1
    assert len(compiled) == 1


def test_a_touched_file_is_read_but_not_compiled(
    rules: Path, cache: Path, compiled: list[int]
) -> None:
    load([rules], cache_dir=cache)
    os.utime(rules / "a.yml", (1, 1))
    assert matches(load([rules], cache_dir=cache), "root") == 1
    assert len(compiled) == 1


@pytest.mark.parametrize("what", ["change", "add", "remove", "pipeline", "list"])
def test_a_change_is_seen(what: str, rules: Path, cache: Path, compiled: list[int]) -> None:
    write(rules, "b", 1)
    before = load([rules], cache_dir=cache)
    if what == "change":
        write(rules, user="sari")
    elif what == "add":
        write(rules, "c", 2)
    elif what == "remove":
        (rules / "b.yml").unlink()
    elif what == "pipeline":
        (rules / "pipelines").mkdir()
        (rules / "pipelines" / "mine.yml").write_text(
            "name: mine\npriority: 1\ntransformations: []\n"
        )
    else:
        (rules / "placeholders").mkdir()
        (rules / "placeholders" / "x.txt").write_text("a\n")
    after = load([rules], cache_dir=cache)
    assert len(compiled) == 2
    assert after.digest != before.digest
    assert matches(after, "root") == {"change": 1, "add": 3, "remove": 1}.get(what, 2)


@pytest.mark.parametrize("harm", [b"", b"\0" * 64, b"\xff" * 200])
def test_a_damaged_cache_is_made_anew(harm: bytes, rules: Path, cache: Path) -> None:
    load([rules], cache_dir=cache)
    for path in cache.iterdir():
        path.write_bytes(harm)
    assert matches(load([rules], cache_dir=cache), "root") == 1


def test_a_folder_open_to_others_is_not_trusted(
    rules: Path, cache: Path, compiled: list[int]
) -> None:
    load([rules], cache_dir=cache)
    cache.chmod(0o777)
    load([rules], cache_dir=cache)
    assert len(compiled) == 2


def test_a_file_that_others_may_write_is_not_trusted(
    rules: Path, cache: Path, compiled: list[int]
) -> None:
    load([rules], cache_dir=cache)
    for path in cache.iterdir():
        path.chmod(0o666)
    load([rules], cache_dir=cache)
    assert len(compiled) == 2


def test_no_folder_for_the_cache_is_no_reason_to_stop(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert matches(load([rules], cache_dir=tmp_path / "file" / "x"), "root") == 1


def test_a_start_from_the_cache_imports_neither_pysigma_nor_yaml(rules: Path, cache: Path) -> None:
    load([rules], cache_dir=cache)
    code = (
        "import sys, json; from pathlib import Path; from kr_secops.rule.ruleset import load;"
        "from kr_secops.detect.engine import Engine;"
        f"e = Engine(load([Path({str(rules)!r})], cache_dir=Path({str(cache)!r})));"
        "n = len(e.feed({'event.dataset': 'sshd', 'user.name': 'root'}));"
        "print(json.dumps([n, [m for m in ('sigma', 'yaml', 'pydantic') if m in sys.modules]]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert json.loads(out) == [1, []]


def test_all_that_is_wrong_stops_the_run_or_is_left_out(rules: Path, cache: Path) -> None:
    write(rules, "b", 1, level="hgih")
    write(rules, "c", 0)
    with pytest.raises(ContentError) as raised:
        load([rules], cache_dir=cache)
    assert raised.value.complaints == [
        f"{rules}/b.yml:5:1: level: 'hgih' is not a level (did you mean 'high'?)",
        f"{rules}/c.yml:2:1: id: the rule at {rules}/a.yml:2:1 has it already",
    ]
    ruleset = load([rules], cache_dir=cache, skip_invalid=True)
    assert [rule.title for rule in ruleset.rules] == ["a"]
    assert [refusal.complaint for refusal in ruleset.refused] == raised.value.complaints


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "cannot be read: no plain file"),
        (lambda path: path.symlink_to("/dev/zero"), "cannot be read: no plain file"),
        (lambda path: path.symlink_to("nowhere"), "cannot be read: No such file or directory"),
        (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic"),
        (lambda path: path.write_bytes(b"#" * (9 << 20)), "larger than 8 MiB"),
        (lambda path: path.write_bytes(b"a: b\nc: d\0\n"), "control characters"),
    ],
)
def test_what_is_no_file_of_rules_is_named_and_never_waited_for(
    make: Callable[[Path], object], said: str, rules: Path, cache: Path
) -> None:
    make(rules / "b.yml")
    place = "2:5" if "control" in said else "1:1"
    with pytest.raises(ContentError) as raised:
        load([rules], cache_dir=cache)
    (complaint,) = raised.value.complaints
    assert complaint.startswith(f"{rules}/b.yml:{place}: {said}")
    assert len(load([rules], cache_dir=cache, skip_invalid=True)) == 1
    write(rules, user="sari")  # seen although the folder holds a link that leads nowhere
    assert matches(load([rules], cache_dir=cache, skip_invalid=True), "sari") == 1


def test_a_folder_that_cannot_be_read_is_named(rules: Path, cache: Path) -> None:
    write(rules / "inner", "b", 1).parent.chmod(0)
    code = (
        "import sys; from pathlib import Path; from kr_secops.rule.ruleset import load;"
        "load([Path(sys.argv[1])], cache_dir=Path(sys.argv[2]))"
    )
    # Root without its powers is as anybody else.
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    ran = subprocess.run(
        [*bare, sys.executable, "-c", code, str(rules), str(cache)],
        capture_output=True,
        check=False,
    )
    assert f"{rules}/inner:1:1: cannot be read: Permission denied" in ran.stderr.decode()
    (rules / "inner").chmod(0o755)
    assert len(load([rules], cache_dir=cache)) == 2


def test_a_list_that_is_no_text_is_named(rules: Path, cache: Path) -> None:
    (rules / "placeholders").mkdir()
    (rules / "placeholders" / "admins.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(ContentError, match=r"admins\.txt:1:1: byte 0xe9 is not UTF-8"):
        load([rules], cache_dir=cache)


def test_a_later_folder_wins_by_id(rules: Path, cache: Path, tmp_path: Path) -> None:
    write(tmp_path / "site", "ours", 0, user="sari")
    ruleset = load([rules, tmp_path / "site"], cache_dir=cache)
    assert [rule.title for rule in ruleset.rules] == ["ours"]


def test_a_path_or_pipeline_that_is_not_there(rules: Path, cache: Path) -> None:
    with pytest.raises(ContentError, match="no such file"):
        load([rules / "nothing"], cache_dir=cache)
    with pytest.raises(UsageError, match="nowhere"):
        load([rules], ["nowhere"], cache_dir=cache)


FILTER = """\
title: not sari
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f99
logsource:
  product: linux
filter:
  rules: [a]
  mine:
    source.ip|cidr: 10.0.0.0/8
  condition: not mine
kr: {{reason: the office network, expires: {day}}}
"""


def test_filters_hide_until_their_day(rules: Path, cache: Path, compiled: list[int]) -> None:
    (rules / "filter.yml").write_text(FILTER.format(day="2026-12-01"))
    event = {"event.dataset": "sshd", "user.name": "root", "source.ip": "10.1.1.1"}
    for day, found, expired in ((1, 0, False), (1, 0, False), (2, 1, True)):
        ruleset = load([rules], cache_dir=cache, today=date(2026, 12, day))
        assert len(Engine(ruleset).feed(event)) == found
        assert [f.expired for f in ruleset.filters] == [expired]
        assert matches(ruleset, "root") == 1
    assert len(compiled) == 2


def test_a_filter_says_why_and_until_when(rules: Path, cache: Path) -> None:
    text = FILTER.format(day="2026-12-01").rpartition("kr:")[0]
    (rules / "filter.yml").write_text(text)
    (one, two) = load([rules], cache_dir=cache, skip_invalid=True).refused
    assert "reason: a filter must say it" in one.complaint
    assert "expires: a filter must say it" in two.complaint


CORRELATION = """\
title: {name}
name: {name}
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f{number}
correlation:
  type: event_count
  rules: [{rule}]
  group-by: [host.name]
  timespan: 1m
  condition: {{gte: 2}}
"""


@pytest.mark.parametrize("rule", ["nobody", "one", "two"])
def test_a_correlation_of_nothing_or_of_itself_is_refused(
    rule: str, rules: Path, cache: Path
) -> None:
    (rules / "one.yml").write_text(CORRELATION.format(name="one", number=50, rule=rule))
    (rules / "two.yml").write_text(CORRELATION.format(name="two", number=51, rule="one"))
    ruleset = load([rules], cache_dir=cache, skip_invalid=True)
    assert {r.complaint.split(":")[0].rpartition("/")[2] for r in ruleset.refused} == {
        "one.yml",
        "two.yml",
    }
    assert ruleset.correlations == ()


def test_a_placeholder_without_a_list_is_refused(rules: Path, cache: Path) -> None:
    path = write(rules)
    path.write_text(path.read_text().replace("user.name: root", "user.name|expand: '%admins%'"))
    (refusal,) = load([rules], cache_dir=cache, skip_invalid=True).refused
    assert "nothing says what %admins% stands for" in refusal.complaint


def test_what_counts_a_waiting_rule_waits_with_it(rules: Path, cache: Path) -> None:
    path = write(rules)
    path.write_text(path.read_text().replace("user.name: root", "user.name|expand: '%admins%'"))
    (rules / "b.yml").write_text(CORRELATION.format(name="two", number=51, rule="one"))
    (rules / "c.yml").write_text(CORRELATION.format(name="one", number=50, rule="a"))
    ruleset = load([rules], cache_dir=cache)
    assert len(ruleset) == 0
    assert all(refusal.is_unanswered for refusal in ruleset.refused)
    (rules / "placeholders").mkdir()
    (rules / "placeholders" / "admins.txt").write_text("sari\n")
    assert len(load([rules], cache_dir=cache)) == 3


def test_a_mistake_that_speaks_of_placeholders_is_still_a_mistake(rules: Path, cache: Path) -> None:
    write(rules, level="(placeholders/x.txt)")
    with pytest.raises(ContentError, match="is not a level"):
        load([rules], cache_dir=cache)


WINDOWS = """title: programs
name: programs
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f60
taxonomy: ecs
logsource: {product: windows, category: process_creation}
detection:
  s: {process.executable|endswith: '\\whoami.exe'}
  condition: s
"""


def test_a_correlation_finds_mapped_fields_of_ecs_rules(rules: Path, cache: Path) -> None:
    (rules / "a.yml").write_text(WINDOWS)
    text = CORRELATION.format(name="often", number=61, rule="programs")
    (rules / "b.yml").write_text(text.replace("host.name", "user.name"))
    engine = Engine(load([rules], cache_dir=cache))
    for second in range(3):
        engine.feed(
            {
                "@timestamp": f"2026-11-25T01:00:0{second}Z",
                "event.dataset": "windows",
                "event.code": "1",
                "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
                "winlog.event_data.Image": "C:\\Windows\\System32\\whoami.exe",
                "winlog.event_data.User": "DESA\\sari",
            }
        )
    engine.close()
    (finding,) = engine.findings()
    assert finding.rule_name == "often"
    assert finding.entity == {"user.name": "DESA\\sari"}


def test_a_rule_of_a_source_that_is_not_ours_is_loaded_and_says_so(
    rules: Path, cache: Path
) -> None:
    path = write(rules)
    path.write_text(path.read_text().replace("product: linux", "product: aws"))
    (rule,) = load([rules], cache_dir=cache).rules
    assert not rule.applies


@pytest.mark.slow
def test_all_of_sigmahq_loads_or_is_refused_with_its_place(shared: Path, cache: Path) -> None:
    folders = [
        shared / "data/sigma" / n
        for n in ("rules", "rules-emerging-threats", "rules-threat-hunting")
    ]
    ruleset = load(folders, cache_dir=cache, skip_invalid=True)
    assert len(ruleset) + len(ruleset.refused) == 3754
    assert all(
        r.complaint.count(":") >= 3 and "placeholders/" in r.complaint for r in ruleset.refused
    )
    assert len(ruleset.refused) == 2

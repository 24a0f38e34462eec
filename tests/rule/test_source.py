"""Every mistake of a rule file, each with its place, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kr_secops.rule.lint import check
from kr_secops.rule.source import find_files, read_file

GOOD = """\
title: t
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10
logsource:
  product: linux
detection:
  s:
    user.name: root
  condition: s
"""


def complaints(text: str) -> list[str]:
    drafts, rest = read_file(Path("x.yml"), text.encode())
    return [*rest, *(c for draft in drafts for c in draft.complaints)]


def test_a_good_rule_has_none() -> None:
    assert complaints(GOOD) == []


def test_all_at_once() -> None:
    text = (
        "title: t\nlevel: hgih\nstatus: tset\nid: nope\nlogsource:\n  product: linux\n"
        "\tservice: sshd\ndetection:\n  s:\n    user.name|contians: x\n    source.ip|cidr: 10.0.0.0/99\n"
        "  s:\n    a: b\n  condition: s\ntags: [attack]\n"
    )
    assert set(complaints(text)) == {
        "x.yml:2:1: level: 'hgih' is not a level (did you mean 'high'?)",
        "x.yml:3:1: status: 'tset' is not a status (did you mean 'test'?)",
        "x.yml:4:1: id: identifier must be an UUID",
        "x.yml:7:1: a tab indents this line; YAML wants spaces",
        "x.yml:10:5: user.name|contians: 'contians' is not a modifier (did you mean 'contains'?)",
        (
            "x.yml:11:5: source.ip|cidr: invalid CIDR expression: '10.0.0.0/99' does not appear to be "
            "an IPv4 or IPv6 network"
        ),
        "x.yml:12:3: s: this key stands here a second time",
        *(c for c in complaints(text) if ": tags" in c),
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "x.yml:1:1: holds no rule"),
        ("- a\n", "x.yml:1:1: a Sigma rule is a mapping"),
        ("title: x\n", "neither detection, correlation nor filter"),
        ("title: x\ndetection: {s: {a: b}, condition: s}\n", "1:1: logsource: must have a log source"),
        ("title: x\nlogsource: {product: a}\ndetection: []\n", "3:1: detection: must be a mapping"),
        ("title: x\nlogsource: {product: a}\ndetection: {s: {a: {b: c}}, condition: s}\n", "3:17: a: "),
        ("title: x\nlogsource: {product: a}\ndetection: {s: {a: b}}\n", "3:1: detection: has no condition"),
        ("title: x\nlogsource: {product: a}\ndetection: {s: {1: b}, condition: s}\n", "3:17: s: 1 is no name"),
        ("title: x\nid: {a: b}\ndetection: {s: {a: b}, condition: s}\n", "2:1: id: must be a text"),
        ("title: x\ntags: {a: b}\ndetection: {s: {a: b}, condition: s}\n", "2:1: tags: must be a list"),
        ("title: x\nlogsource: {product: [a]}\ndetection: {s: {a: b}, condition: s}\n", "2:13: product: must be"),
        ("title: x\nlogsource: {product: a}\ndetection: {s: {a: b}, condition: s}\nkr: 5\n", "4:1: kr: must be a map"),
        ("title: x\ncorrelation: []\n", "2:1: correlation: must be a mapping"),
        (
            "title: x\ncorrelation: {type: event_cuont, rules: [a], timespan: 1m, condition: {gte: 1}}\n",
            "2:1: correlation: ",
        ),
        (
            "title: x\ncorrelation: {type: event_count, rules: [a], timespan: 1x, condition: {gte: 1}}\n",
            "timespan: ",
        ),
        (GOOD + "kr: {titel: x}\n", "9:6: titel: unknown key (did you mean 'title'?)"),
        ("\xff", "holds no rule"),
    ],
)  # fmt: skip
def test_complaints(text: str, complaint: str) -> None:
    found = complaints(text)
    assert any(complaint in line or line.startswith("x.yml:1:1: a Sigma") for line in found), found


def test_files_of_another_kind_are_not_rules(tmp_path: Path) -> None:
    for name in ("a.yml", "b.test.yaml", "c.txt", "pipelines/d.yml", "deep/pipelines/e.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(GOOD)
    found = [str(path.relative_to(tmp_path)) for path, _ in find_files([tmp_path])]
    assert found == ["a.yml", "deep/pipelines/e.yml"]


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (("id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10\n", ""), "id: is missing"),
        (
            ("title: t\n", "title: t\nauthr: x\n"),
            "2:1: authr: unknown key (did you mean 'author'?)",
        ),
        (("user.name", "usr.name"), "7:5: usr.name: no ECS field (did you mean 'user.name'?)"),
        (("  condition", "  unused: {process.name: a}\n  condition"), "unused: no condition uses"),
        (("title: t\n", "title: t\ntags: [attack.t12]\n"), "'t12' is no ATT&CK technique"),
        (
            ("title: t\n", "title: t\ntags: [atack.t1110]\n"),
            "namespace of tags (did you mean 'attack'?)",
        ),
        (("title: t\n", "title: t\nstatus: deprecated\n"), "status: the rule is deprecated"),
        (("title: t\n", "title: t\n"), "has no Indonesian title"),
        (("title: t\n", "title: t\n"), "recommendation: is missing"),
        (("title: t\n", "title: t\n"), "has no tests (x.test.yaml)"),
        (("title: t\n", "title: t\n"), "level: is missing"),
        (("title: t\n", "title: t\nkr: {entity: [hots.name]}\n"), "hots.name is no ECS field"),
    ],
)
def test_remarks(change: tuple[str, str], remark: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(
        "taxonomy: ecs\n" + GOOD.replace(*change)
        if "usr" not in remark and "authr" not in remark
        else (GOOD + "taxonomy: ecs\n").replace(*change)
    )
    found = [str(r) for r in check([tmp_path])]
    assert any(remark in line for line in found), found


def test_remarks_stand_in_order_of_their_lines(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yml"):
        text = (
            GOOD.replace("title: t", f"title: {name}\nauthr: x") + "levle: low\ntags: [attack.t9]\n"
        )
        (tmp_path / name).write_text(text.replace("0f10", f"0{ord(name[0])}1"))
    places = [tuple(str(one).split(":")[:3]) for one in check([tmp_path])]
    order = [(path, int(line), int(column)) for path, line, column in places]
    assert order == sorted(order)
    assert len(order) > 6


def test_an_id_stands_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD)
    (remark,) = [str(r) for r in check([tmp_path]) if "has it already" in str(r)]
    assert remark == f"{tmp_path}/b.yml:2:1: id: the rule at {tmp_path}/a.yml:2:1 has it already"

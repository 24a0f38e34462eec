"""Settings: layers, origins, and mistakes with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import ContentError
from kr_secops.settings import files, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "config.yml").write_text("agency: Diskominfo\nzone: Asia/Jakarta\nlogs: [/a]\n")
    (folder / "conf.d" / "10-elastic.yml").write_text("elastic:\n  url: [https://a:9200]\n")
    (folder / "conf.d" / "20-zone.yml").write_text("zone: Asia/Pontianak\n")
    return folder


def test_later_layers_win_and_are_named(site: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "kr-secops").mkdir(parents=True)
    (home / "kr-secops" / "config.yml").write_text("language: en\n")
    environment = {
        "XDG_CONFIG_HOME": str(home),
        "KR_SECOPS_LOGS": "/b, /c",
        "KR_SECOPS_ELASTIC_USER": "writer",
    }
    configuration = load({"host": "web-izin", "agency": None}, site=site, environment=environment)
    shown = {name: (value, origin) for name, value, origin in configuration.flat()}
    assert shown["agency"] == ("Diskominfo", f"{site}/config.yml:1:1")
    assert shown["zone"] == ("Asia/Pontianak", f"{site}/conf.d/20-zone.yml:1:1")
    assert shown["language"] == ("en", f"{home}/kr-secops/config.yml:1:1")
    assert shown["logs"] == (["/b", "/c"], "environment KR_SECOPS_LOGS")
    assert shown["elastic.url"] == (["https://a:9200"], f"{site}/conf.d/10-elastic.yml:2:3")
    assert shown["elastic.user"] == ("writer", "environment KR_SECOPS_ELASTIC_USER")
    assert shown["host"] == ("web-izin", "flag")
    assert shown["journal"] == (True, "default")


def test_files_come_weakest_first(site: Path) -> None:
    found = files(site, {"XDG_CONFIG_HOME": str(site)})
    assert [path.name for path in found] == ["config.yml", "10-elastic.yml", "20-zone.yml"]


def test_every_mistake_of_every_layer_is_told(site: Path) -> None:
    (site / "config.yml").write_text("agancy: x\nzone: Asia/Pontiank\n")
    (site / "conf.d" / "20-zone.yml").write_text("logs: 3\n")
    with pytest.raises(ContentError) as caught:
        load(site=site, environment={"XDG_CONFIG_HOME": "/nowhere", "KR_SECOPS_LOGZ": "/x"})
    assert caught.value.exit_code == 3
    assert caught.value.complaints == [
        (
            f"{site}/config.yml:2:1: zone: 'Asia/Pontiank' is no time zone; for example Asia/Jakarta, "
            "Asia/Pontianak"
        ),
        f"{site}/config.yml:1:1: agancy: unknown key (did you mean 'agency'?)",
        f"{site}/conf.d/20-zone.yml:1:1: logs: input should be a valid list",
        "environment: KR_SECOPS_LOGZ: unknown setting (did you mean 'KR_SECOPS_LOGS'?)",
    ]


def test_a_wrong_variable_is_named(site: Path) -> None:
    with pytest.raises(ContentError, match="environment KR_SECOPS_JOURNAL: journal: "):
        load(site=site, environment={"XDG_CONFIG_HOME": "/nowhere", "KR_SECOPS_JOURNAL": "perhaps"})


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("# nothing yet\n")
    assert load(site=tmp_path, environment={"XDG_CONFIG_HOME": "/nowhere"}).settings.agency == ""

"""Settings in layers, each value with where it came from.

    defaults → /etc/kr-secops/config.yml → /etc/kr-secops/conf.d/*.yml
             → $XDG_CONFIG_HOME/kr-secops/config.yml → KR_SECOPS_* → flags

Secrets never stand here: only the names of the files that hold them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator

from kr_secops.document import Model, did_you_mean, examine, validate
from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SITE: Final = Path("/etc/kr-secops")
PREFIX: Final = "KR_SECOPS_"


class Elastic(Model):
    """How to reach Elasticsearch."""

    url: list[str] = Field(default_factory=list, description="addresses of the cluster's nodes")
    ca: Path | None = Field(None, description="certificate authority of the servers, PEM")
    api_key_file: Path | None = Field(None, description="file that holds the API key")
    user: str | None = Field(None, description="user name for basic authentication")
    password_file: Path | None = Field(None, description="file that holds the user's password")


class Settings(Model):
    """Everything that can be set."""

    agency: str = Field("", description="name of the office, printed on reports")
    language: Literal["id", "en"] = Field("id", description="language of reports")
    zone: str = Field("", description="time zone of logs that state none, and of reports")
    host: str = Field("", description="name of this host in events; empty: what the system says")
    state_dir: Path = Field(
        Path(), description="where findings, positions and the archive are kept"
    )
    logs: list[str] = Field(["/var/log"], description="what `scan` reads when no path is named")
    journal: bool = Field(
        default=True, description="whether `scan` without a path reads the journal"
    )
    elastic: Elastic = Field(default_factory=lambda: Elastic.model_validate({}))

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"{name!r} is no time zone; for example Asia/Jakarta, Asia/Pontianak"
            ) from None
        return name


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force, and the origin of each."""

    settings: Settings
    origin: Mapping[str, str]
    """Dotted name → ``path:line:column``, ``environment KR_SECOPS_X``, ``flag`` or ``default``."""

    def flat(self) -> Iterator[tuple[str, Any, str]]:
        """Yield name, value and origin of every setting, in the model's order."""
        for name, value in _flatten(self.settings.model_dump(mode="json")):
            yield name, value, self.origin.get(name, "default")


def files(site: Path = SITE, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the settings files that exist, weakest first."""
    home = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    found = [site / "config.yml", *sorted((site / "conf.d").glob("*.yml"))]
    return [path for path in [*found, home / "kr-secops" / "config.yml"] if _is_file(path)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # another user's home
        return False


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    site: Path = SITE,
    environment: Mapping[str, str] = os.environ,
) -> Configuration:
    """Return the settings in force; *flags* are dotted names, None meaning "not given".

    Raises:
        ContentError: a file or variable is wrong; carries every complaint of every layer.
    """
    values: dict[str, Any] = {"state_dir": _default_state_dir(environment)}
    origin: dict[str, str] = {}
    complaints: list[str] = []
    for path in files(site, environment):
        _add_file(path, values, origin, complaints)
    for name, variable in _variables().items():
        if environment.get(variable):
            _add_text(name, environment[variable], f"environment {variable}", values, origin)
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], origin[name] = value, "flag"
    complaints += _unknown_variables(environment)
    if complaints:
        raise ContentError(complaints)
    try:
        return Configuration(Settings.model_validate(_nest(values)), origin)
    except ValidationError as e:
        raise ContentError([_complain(error, origin) for error in e.errors()]) from None


def _default_state_dir(environment: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/kr-secops")
    home = Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "kr-secops"


def _add_file(
    path: Path, values: dict[str, Any], origin: dict[str, str], complaints: list[str]
) -> None:
    documents, found = examine(path)
    complaints += found
    for document in documents:
        if document.value is None:
            continue
        try:
            part = validate(document, Settings)
        except ContentError as e:
            complaints += e.complaints
            continue
        for name, value in _flatten(part.model_dump(mode="json", exclude_unset=True)):
            values[name], origin[name] = value, document.place(tuple(name.split(".")))


def _add_text(
    name: str, text: str, source: str, values: dict[str, Any], origin: dict[str, str]
) -> None:
    """A list in the environment is written with commas."""
    is_list = name in ("logs", "elastic.url")
    values[name] = [part.strip() for part in text.split(",")] if is_list else text
    origin[name] = source


def _variables() -> dict[str, str]:
    names = [name for name, _ in _flatten(Settings.model_validate({}).model_dump(mode="json"))]
    return {name: PREFIX + name.upper().replace(".", "_") for name in names}


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    # KR_SECOPS_LANG chooses the language of messages; the two ELASTIC ones hold secrets.
    known = {*_variables().values(), "KR_SECOPS_LANG"}
    known |= {"KR_SECOPS_ELASTIC_API_KEY", "KR_SECOPS_ELASTIC_PASSWORD"}
    return [
        f"environment: {name}: unknown setting{did_you_mean(name, known)}"
        for name in environment
        if name.startswith(PREFIX) and name not in known
    ]


def _complain(error: Any, origin: Mapping[str, str]) -> str:
    name = ".".join(str(step) for step in error["loc"] if isinstance(step, str))
    message = error["msg"].removeprefix("Value error, ")
    return f"{origin.get(name, 'default')}: {name}: {message[:1].lower() + message[1:]}"


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = value
    return tree

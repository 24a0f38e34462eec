"""From options to what a pipeline needs: settings, read options, the guard, and the closing words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kr_secops import settings
from kr_secops.cli import console
from kr_secops.collect.reading import Options
from kr_secops.errors import NothingCollectedError, UsageError
from kr_secops.language import tr
from kr_secops.privacy.key import load_key
from kr_secops.privacy.mask import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kr_secops.pipeline import Account
    from kr_secops.settings import Settings

SHOWN = 20
"""Skipped sources named on the terminal; the report names all."""


def load_settings(host: str | None, zone: str | None) -> Settings:
    """Return the settings in force, with the options of the command line on top."""
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UsageError(tr("{zone!r} is no time zone", zone=zone)) from None
    return settings.load({"host": host, "zone": zone}).settings


def read_options(configuration: Settings, collector: str | None, year: int | None) -> Options:
    """Return how inputs are to be read."""
    return Options(
        now=datetime.now(UTC),
        collector=collector,
        host=configuration.host or None,
        zone=ZoneInfo(configuration.zone) if configuration.zone else None,
        year=year,
        cache_dir=cache_dir(configuration),
    )


def cache_dir(configuration: Settings) -> Path:
    """Return the folder of compiled rules and identifiers, made for its owner alone."""
    folder = configuration.state_dir / "cache"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"{folder}: {e.strerror} (state_dir)") from None
    return folder


def guard(configuration: Settings) -> Guard:
    """Return what masks personal data, with this state folder's key."""
    folder = cache_dir(configuration)
    return Guard(load_key(configuration.state_dir), cache_dir=folder)


def tell(account: Account, *, forgotten: int = 0) -> None:
    """Say on stderr what could not be read, and how many matches correlations had no room for."""
    for skipped in account.skipped[:SHOWN]:
        # What may not be read is no matter of course: a nightly run says it, however quiet.
        tell_one = console.say if skipped.denied else console.note
        tell_one(tr("skipped {source}: {reason}", source=skipped.source, reason=skipped.reason))
    if len(account.skipped) > SHOWN:
        console.note(tr("… and {count} more skipped", count=len(account.skipped) - SHOWN))
    for source, count in account.rejections.most_common(SHOWN):
        console.note(tr("{source}: {count} records could not be read", source=source, count=count))
    if forgotten:  # a finding may be missing for it
        console.say(
            tr(
                "{count} matches were forgotten by correlations, too many to keep: "
                "what a log read later would complete may be missed",
                count=forgotten,
            )
        )


def ensure_exist(paths: Iterable[Path]) -> None:
    """Raise UsageError for the first of *paths* that is not there."""
    for path in paths:
        if not path.exists():
            raise UsageError(tr("{path}: there is no such file or folder", path=path))


def ensure_something_read(account: Account, *, known: bool = False) -> None:
    """Raise NothingCollectedError when sources were named and none could be read.

    Args:
        account: what was read.
        known: a source read before can be read still; then nothing new is no failure.
    """
    if account.skipped and not account.lines and not account.events and not known:
        raise NothingCollectedError(tr("nothing could be read"))

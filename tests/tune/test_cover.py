"""The smallest careful set of selections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.tune.atoms import Atom
from kr_secops.tune.cover import MOST_SELECTIONS, choose

BACKUP = Atom("user.name", "", "backup")
SARI = Atom("user.name", "", "sari")
RSYNC = Atom("process.executable", "", "/opt/rsync")
FOLDER = Atom("process.executable", "startswith", "/opt/")
PYTHON = Atom("process.executable", "", "/usr/bin/python3")
NIGHT = Atom("source.ip", "", "10.0.0.5")
NET = Atom("source.ip", "cidr", "10.0.0.0/24")
WEB = Atom("host.name", "", "web")


@pytest.mark.parametrize(
    ("false", "true", "expected"),
    [
        ([{RSYNC, WEB}] * 3, [{PYTHON, WEB}], [{RSYNC}]),
        # narrowed by what all have in common, for an account does much
        ([{BACKUP, RSYNC}, {BACKUP, RSYNC}], [{RSYNC, SARI}], [{BACKUP, RSYNC}]),
        # an interpreter alone would hide too much
        ([{PYTHON, BACKUP}] * 2, [], [{BACKUP}]),
        ([{PYTHON, WEB}] * 2, [], []),
        # exact rather than wide
        ([{RSYNC, FOLDER}] * 2, [], [{RSYNC}]),
        ([{RSYNC, FOLDER}, {Atom("process.executable", "", "/opt/b"), FOLDER}], [], [{FOLDER}]),
        # two kinds of false positives
        ([{RSYNC}, {RSYNC}, {NIGHT, NET}], [{WEB}], [{RSYNC}, {NIGHT}]),
        # what true ones share is never asked alone
        ([{BACKUP, NIGHT}], [{BACKUP, SARI}, {NIGHT, SARI}], [{BACKUP, NIGHT}]),
        ([{BACKUP}], [{BACKUP}], []),
        ([{Atom("user.name", "", "Backup")}, {BACKUP}], [], [{Atom("user.name", "", "Backup")}]),
        ([set()], [], []),
    ],
)
def test_choice(false: list[set[Atom]], true: list[set[Atom]], expected: list[set[Atom]]) -> None:
    assert [set(one.atoms) for one in choose(false, true)] == expected


ATOMS = st.frozensets(st.sampled_from([BACKUP, SARI, RSYNC, FOLDER, PYTHON, NIGHT, NET, WEB]))


@given(st.lists(ATOMS, max_size=12), st.lists(ATOMS, max_size=12))
def test_no_true_match_is_touched(
    false: list[frozenset[Atom]], true: list[frozenset[Atom]]
) -> None:
    chosen = choose(false, true)
    assert len(chosen) <= MOST_SELECTIONS
    for one in chosen:
        assert one.may_stand
        assert not any(set(one.atoms) <= event for event in true)
        assert one.false == sum(1 << i for i, e in enumerate(false) if set(one.atoms) <= e) > 0
        assert not one.true

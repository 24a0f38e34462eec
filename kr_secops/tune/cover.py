"""The smallest set of selections that covers the false positives and touches no true match.

Which events meet which atom is kept as bits of a number; "and" is then one operation. The choice is
greedy, most newly covered events for their price, which is never far from the best set.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kr_secops.tune.atoms import Atom

MOST_SELECTIONS: Final = 6
_MOST_JOINED: Final = 60
"""Atoms, the most frequent first, of which pairs and triples are tried."""
_LARGEST: Final = 3


@dataclass(frozen=True, slots=True)
class Selection:
    """Atoms that must all be true."""

    atoms: tuple[Atom, ...]
    false: int
    """Bits of the false positives that it covers."""
    true: int
    """Bits of the true matches that it covers."""

    @property
    def cost(self) -> float:
        """Return the price: what its atoms cost, and a little for each."""
        return max(atom.cost for atom in self.atoms) + 0.3 * (len(self.atoms) - 1)

    @property
    def may_stand(self) -> bool:
        """Return whether it is specific enough to hide anything."""
        return any(atom.stands_alone for atom in self.atoms)


def choose(false: Sequence[Iterable[Atom]], true: Sequence[Iterable[Atom]]) -> list[Selection]:
    """Return selections that cover as many of *false* as can be, and none of *true*.

    Args:
        false: the atoms of each false positive.
        true: the atoms of each true match.
    """
    singles = _singles(false, true)
    candidates = [one for one in _joined(singles) if not one.true and one.may_stand]
    chosen: list[Selection] = []
    covered = 0
    while len(chosen) < MOST_SELECTIONS:
        best = max(candidates, key=lambda one: _worth(one, covered), default=None)
        if best is None or not best.false & ~covered:
            break
        chosen.append(_with_what(best, singles))
        covered |= best.false
    return [one for i, one in enumerate(chosen) if not _is_needless(i, chosen)]


def _singles(false: Sequence[Iterable[Atom]], true: Sequence[Iterable[Atom]]) -> list[Selection]:
    met: dict[tuple[str, str, str], tuple[Atom, list[int]]] = {}
    for side, events in enumerate((false, true)):
        for i, found in enumerate(events):
            for atom in found:
                # Sigma compares without regard to case; the first spelling is kept.
                key = (atom.field, atom.kind, atom.text.lower())
                _, bits = met.setdefault(key, (atom, [0, 0]))
                bits[side] |= 1 << i
    found_all = [Selection((atom,), bits[0], bits[1]) for atom, bits in met.values() if bits[0]]
    found_all.sort(key=lambda one: (-one.false.bit_count(), one.cost, one.atoms))
    return found_all


def _joined(singles: list[Selection]) -> list[Selection]:
    """Return *singles*, and those pairs and triples that are more careful than their parts."""
    found = list(singles)
    level = singles[:_MOST_JOINED]
    mixed = [one for one in level if one.true or not one.may_stand]
    for size in range(2, _LARGEST + 1):
        for parts in combinations(mixed, size):
            fields = {part.atoms[0].field for part in parts}
            if len(fields) < size:
                continue
            false, true = parts[0].false, parts[0].true
            for part in parts[1:]:
                false &= part.false
                true &= part.true
            if false:
                found.append(Selection(tuple(sorted(p.atoms[0] for p in parts)), false, true))
    return found


def _worth(one: Selection, covered: int) -> tuple[float, int, float, tuple[Atom, ...]]:
    gain = (one.false & ~covered).bit_count()
    exact = sum(not atom.kind for atom in one.atoms)
    return (gain / one.cost, exact, -one.cost, one.atoms)


def _with_what(one: Selection, singles: list[Selection]) -> Selection:
    """Return *one* narrowed, if it says only who or where, by what all its events have in common.

    Without that, everything that one account or one network ever does would be hidden.
    """
    if any(atom.aspect == "what" for atom in one.atoms):
        return one
    for single in singles:
        (atom,) = single.atoms
        if atom.aspect == "what" and atom.stands_alone and not one.false & ~single.false:
            exact = next(
                (s for s in singles if s.atoms[0].field == atom.field and not s.atoms[0].kind and not one.false & ~s.false),
                single,
            )  # fmt: skip
            return Selection(
                tuple(sorted((*one.atoms, *exact.atoms))), one.false, one.true & exact.true
            )
    return one


def _is_needless(i: int, chosen: list[Selection]) -> bool:
    others = 0
    for j, other in enumerate(chosen):
        if j != i:
            others |= other.false
    return len(chosen) > 1 and not chosen[i].false & ~others

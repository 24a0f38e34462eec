"""All rules of SigmaHQ: sound for their authors, so nothing there may be called an error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from kr_secops.report import attack
from kr_secops.rule.lint import Surroundings, check

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")


def test_no_error_and_little_advice(shared: Path) -> None:
    folders = [shared / "data" / "sigma" / name for name in FOLDERS]
    techniques = {name: now or "nothing" for name, (now, _) in attack.retired().items()}
    around = Surroundings(techniques=techniques | dict.fromkeys(attack.known(), ""))
    remarks = check(folders, around)
    weights = Counter(remark.weight for remark in remarks)
    assert weights["error"] == 0
    assert 200 < weights["warning"] < 320  # as read one by one; more would be noise
    assert not [str(remark) for remark in remarks if "can never be true" in str(remark)]

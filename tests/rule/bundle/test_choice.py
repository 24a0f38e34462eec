"""Which rules are asked for."""

from __future__ import annotations

import pytest

from kr_secops.finding import Level
from kr_secops.rule.bundle.choice import Choice
from tests.rule.bundle.conftest import rule

BARE = "title: x\nlogsource: {category: webserver}\ndetection: {}\n"


@pytest.mark.parametrize(
    ("choice", "text", "taken"),
    [
        (Choice(), rule(status="deprecated", level="low"), True),
        (Choice(status="test"), rule(status="stable"), True),
        (Choice(status="test"), rule(status="test"), True),
        (Choice(status="test"), rule(status="experimental"), False),
        (Choice(status="test"), BARE, False),  # says nothing of its status
        (Choice(level=Level.high), rule(level="high"), True),
        (Choice(level=Level.high), rule(level="medium"), False),
        (Choice(level=Level.medium), BARE, True),  # medium is what is taken for it
        (Choice(products=("linux", "aws")), rule(product="linux"), True),
        (Choice(products=("linux",)), rule(product="windows"), False),
        (Choice(products=("linux",)), BARE, True),  # about web servers, whatever they run on
        (Choice(level=Level.critical), "title: [\n", True),  # to be judged, not passed over
        (Choice(level=Level.critical), "title: x\ncorrelation: {}\n", True),
        (Choice(level=Level.high), rule(level="low") + "---\n" + rule(level="high"), True),
    ],
)
def test_choice(choice: Choice, text: str, taken: bool) -> None:
    assert choice.takes("x.yml", text.encode()) is taken

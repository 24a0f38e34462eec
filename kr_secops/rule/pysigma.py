"""What pySigma is told before it reads anything: a modifier it lacks, and to keep off the terminal."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sigma import modifiers, policy
from sigma.policy.regex_engine import RE2RegexEngine

if TYPE_CHECKING:
    from sigma.policy.regex_engine import RegexPattern

_FLAGS: Final = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}


@cache
def prepare() -> None:
    """Make pySigma read rules as we do."""
    # The one modifier of Sigma 2.1 that pySigma does not know; it means ``wide``.
    modifiers.modifier_mapping.setdefault("utf16le", modifiers.SigmaWideModifier)
    policy.default_policy.regex_engine = _QuietEngine()


class _QuietEngine(RE2RegexEngine):
    """RE2 that raises what is wrong, and does not write it to stderr, with all that could steer it."""

    def compile(self, pattern: str, flags: int = 0) -> RegexPattern:
        options = self._re2.Options()
        options.log_errors = False
        letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
        try:
            compiled: Any = self._re2.compile(f"(?{letters})" * bool(letters) + pattern, options)
        except self.error as e:
            said = e.args[0] if e.args else ""
            text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            raise self.error(text) from None
        found: RegexPattern = compiled
        return found

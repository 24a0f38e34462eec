"""What is sound in a rule and could be better: for ``rule check``, a module a kind of advice."""

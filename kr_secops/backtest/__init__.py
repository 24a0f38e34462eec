"""Backtests: recorded logs, and how often each rule must be true in them."""

"""Filters proposed from false positives, so narrow that every true match stays."""

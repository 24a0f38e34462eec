"""Network captures: packets become flows, and what was said in the clear becomes events."""

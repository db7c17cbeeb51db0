"""Copies of the log for others: every record at least once, in order, and nobody waits for it."""

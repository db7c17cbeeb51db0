"""Somebody elsewhere who saw that the log only grew, and signs it (C2SP tlog-witness)."""

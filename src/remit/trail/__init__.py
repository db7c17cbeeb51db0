"""Asking the log: which records, in what order, about whom; and what is handed out of it."""

"""Who may read what the log keeps sealed, for how long, and when nobody may any more."""

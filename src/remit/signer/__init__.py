"""The process that holds the key of the log, and signs nothing that does not continue what it signed."""

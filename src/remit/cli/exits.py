"""What the exit code of a command says. Documented in docs/reference/cli.md."""

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    DONE = 0
    """What was asked is done, or what was checked is good."""
    FOUND_WRONG = 1
    """What was asked was refused, or what was checked is wrong."""
    USAGE = 2
    """The command line cannot be understood."""
    UNAVAILABLE = 3
    """Remit cannot be started or reached: settings, data folder, database, port, audit log."""
    INCOMPLETE = 4
    """Nothing that was looked at is wrong, but not all could be looked at."""
    DEFECT = 70
    """Something unforeseen happened inside Remit."""
    INTERRUPTED = 130
    """Stopped from the keyboard."""

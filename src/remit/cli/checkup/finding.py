"""One thing the doctor has to say, and how grave it is."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level", "down", "fine", "note", "unsafe"]


class Level(StrEnum):
    FINE = "fine"
    NOTE = "note"
    """Worth knowing; may be meant so."""
    DOWN = "down"
    """Not reachable or not there: what needs it does not work, and nothing is exposed by it."""
    UNSAFE = "unsafe"
    """Dangerous, or wrong: `remit doctor` then exits 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, about what, and the mend if there is something to mend."""

    level: Level
    about: str
    text: str
    mend: str = ""


def fine(about: str, text: str) -> Finding:
    """As it should be."""
    return Finding(Level.FINE, about, text)


def note(about: str, text: str, *, mend: str) -> Finding:
    """Worth knowing."""
    return Finding(Level.NOTE, about, text, mend)


def down(about: str, text: str, *, mend: str) -> Finding:
    """To be started, or provided."""
    return Finding(Level.DOWN, about, text, mend)


def unsafe(about: str, text: str, *, mend: str) -> Finding:
    """To be mended."""
    return Finding(Level.UNSAFE, about, text, mend)

"""What every event is: a kind, a durability, and the circumstances.

`durability` says when the caller may go on:

- `INTENT`: on stable storage before the effect takes place; else no effect.
- `ANSWER`: on stable storage before the caller is answered; else 503.
- `SOON`: queued in order; may be the last thing lost in a power cut.

Source: AUDIT §1.3 (durability classes).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from remit.audit.context import Context

__all__ = ["Durability", "Event"]


class Durability(StrEnum):
    INTENT = "intent"
    ANSWER = "answer"
    SOON = "soon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, and the circumstances."""

    kind: ClassVar[str]
    durability: ClassVar[Durability] = Durability.INTENT
    reserved: ClassVar[bool] = False
    """Whether it may use the space that is kept for taking rights away when the disk is full otherwise."""
    vetted: ClassVar[bool] = False
    """Whether whoever makes it has looked through its text for secrets; else the log does, before it writes."""
    context: Context = Context()

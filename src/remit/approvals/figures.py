"""How people answer: how many, how fast. A yes within seconds of seeing the words is a rubber stamp."""

from dataclasses import dataclass

from remit.ids import UserId

__all__ = ["Figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one person, or of one rule, over a while. `person` and `rule` are `None` where it is over all of them."""

    person: UserId | None = None
    rule: str | None = None
    approved: int = 0
    refused: int = 0
    expired: int = 0
    median_seconds: int | None = None
    """Between seeing the words and saying yes to them; `None` without a yes."""
    hasty: int = 0
    """How many were approved sooner than anybody reads."""

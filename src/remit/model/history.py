"""Which facts of what was done before are kept, so that policies may read them."""

from dataclasses import dataclass
from enum import StrEnum

from remit.clock import Seconds
from remit.ids import ServerName
from remit.model.levels import Operation

__all__ = ["LONGEST_HISTORY", "HistoryFact", "HistoryMeasure", "HistoryOf"]

LONGEST_HISTORY = Seconds(400 * 86_400)
"""Nothing is remembered for longer: four hundred days, a year and a month."""


class HistoryMeasure(StrEnum):
    COUNT = "count"
    """How many calls: an integer."""
    SUM = "sum"
    """What an argument came to, over them all: a decimal. Amounts of another currency are refused."""
    EVER = "ever"
    """Whether there was any: a truth value."""
    TOOLS = "tools"
    """Which things were used: a set, named as policies name their actions, such as `crm/export`."""
    DATA_CATEGORIES = "data_categories"
    """Which categories of data were opened: a set."""


class HistoryOf(StrEnum):
    """Whose past it is. No new session, token or grant begins it anew."""

    AGENT_AND_SUBJECT = "agent_and_subject"
    """What this agent did for this person, or for itself if it is a workload."""
    AGENT = "agent"
    SUBJECT = "subject"
    """What was done for this person, by whatever agents."""
    GRANT = "grant"
    """What this grant was used for; another consent begins another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFact:
    """One fact, under the name that policies read it by: `context.history.<name>`."""

    name: str
    measure: HistoryMeasure
    of: HistoryOf = HistoryOf.AGENT_AND_SUBJECT
    window: Seconds | None = None
    """How far back, counted from the moment of each call; `None`: `LONGEST_HISTORY`."""
    servers: tuple[ServerName, ...] = ()
    """Only calls of these servers; none named: of every one."""
    things: tuple[str, ...] = ()
    """Only these things, named as policies name their actions; none named: every one."""
    operations: tuple[Operation, ...] = ()
    """Only what does one of these; none named: whatever it does."""
    data_categories: tuple[str, ...] = ()
    """Only what opens one of these; none named: whatever it opens."""
    argument: str = ""
    """What a sum adds up: the name of a declared `money` or `decimal` argument."""
    currency: str = ""
    """What the money of a sum is in; a call in another currency is refused."""

    @property
    def reach(self) -> Seconds:
        """How far back, in seconds."""
        return LONGEST_HISTORY if self.window is None else self.window

    @property
    def account(self) -> str:
        """What its uses are kept under: begun anew when what is measured changes, and not with its window or its filters."""
        parts = (self.name, self.measure.value, self.argument, self.currency)
        return " ".join(part for part in parts if part)

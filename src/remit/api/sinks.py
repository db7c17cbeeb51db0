"""Copies of the audit log: who gets them, how far behind each is, whether one takes a record, and from where it goes on.

They hold what every organisation did, so only who acts for all may see or touch them. No secret of a sink comes out of
anything here, and of its URL no more than host and port.
"""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text
from remit.api.paging import Page, Paged, page_of
from remit.sinks.desk import Position, SinkState

__all__ = ["SINK_OPERATIONS"]


class SinkShown(Shape):
    """A sink in one log. `log` and what follows is null before it got anything.

    `position`: the number of the next record that it gets; `behind`: how many the log has beyond; `seconds`: how long
    the oldest of those has been there. `carried_by` is the process that carries them, null while none does. `error`:
    why the last attempt failed, null once one succeeded.
    """

    name: str
    kind: str
    form: str
    host: str
    log: str | None
    position: int | None
    behind: int | None
    seconds: int | None
    lagging_since: int | None
    carried_by: str | None
    error: str | None


class SinkPage(Page):
    """Every sink with every log that it gets, by name."""

    sinks: list[SinkShown]


class SinkTried(Shape):
    """Whether the record arrived; `error` is why it did not."""

    name: str
    arrived: bool
    error: str | None


class SinkPlace(Shape):
    """Where it is to go on: `start` is the first record that is kept, `end` is what comes next. Without `log`, in every log."""

    to: Annotated[Position, Field(description="`start`, `end`, or the number of a record.")]
    log: Text | None = None
    reason: Reason = ""


class SinkMoved(Shape):
    """Where it was, by log."""

    name: str
    before: dict[str, int]


async def _list(deps: ApiDeps, asked: Asked[Paged, Nothing]) -> SinkPage:
    found = await deps.sinks.survey()
    shown, after = page_of(found, asked.query, place=_place)
    return SinkPage(sinks=[_shown(one) for one in shown], next=after)


async def _test(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> SinkTried:
    name = asked.path["sink"]
    error = await deps.sinks.test(name, context=asked.context)
    return SinkTried(name=name, arrived=error is None, error=error)


async def _reset(deps: ApiDeps, asked: Asked[Nothing, SinkPlace]) -> SinkMoved:
    name, body = asked.path["sink"], asked.body
    before = await deps.sinks.reset(
        name, body.log, to=body.to, reason=body.reason, context=asked.context
    )
    return SinkMoved(name=name, before={one.log: one.position for one in before})


def _place(state: SinkState) -> tuple[str, ...]:
    return state.rules.name, "" if state.cursor is None else state.cursor.log


def _shown(state: SinkState) -> SinkShown:
    rules, cursor, lag = state.rules, state.cursor, state.lag
    return SinkShown(
        name=rules.name,
        kind=rules.kind,
        form=rules.form,
        host=urlsplit(rules.url).netloc.rpartition("@")[2],
        log=None if cursor is None else cursor.log,
        position=None if cursor is None else cursor.position,
        behind=None if lag is None else lag.behind,
        seconds=None if lag is None else int(lag.seconds),
        lagging_since=None if cursor is None else cursor.lagging_since,
        carried_by=cursor.holder if cursor is not None and state.is_held else None,
        error=None if cursor is None else cursor.error,
    )


SINK_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="sinks.list", run=_list, query=Paged, body=Nothing, answer=SinkPage),
    Operation(name="sinks.test", run=_test, query=Nothing, body=Nothing, answer=SinkTried),
    Operation(name="sinks.reset", run=_reset, query=Nothing, body=SinkPlace, answer=SinkMoved),
)

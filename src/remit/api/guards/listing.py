"""The guards that were heard of: which process inside which server, how long ago, and how far its records have come."""

from typing import Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape
from remit.registry.guard_store import guards_seen

__all__ = ["GUARD_OPERATIONS"]


class GuardShown(Shape):
    """One guard. `last_record`: up to which of its own records everything is in Remit's log."""

    server: str
    instance: str
    version: str
    first_seen: int
    last_seen: int
    silent_for: int
    last_record: int


class GuardPage(Shape):
    """Every guard that was heard of within a month or so, by server. One that was silent for longer than `lease` refuses every call."""

    lease: int
    guards: list[GuardShown]


async def _list(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> GuardPage:
    found = await deps.database.read(guards_seen)
    return GuardPage(
        lease=deps.guard_lease,
        guards=[
            GuardShown(
                server=one.server,
                instance=one.instance,
                version=one.version,
                first_seen=one.first_seen,
                last_seen=one.last_seen,
                silent_for=max(0, asked.at - one.last_seen),
                last_record=one.last_record,
            )
            for one in found
        ],
    )


GUARD_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="guards.list", run=_list, query=Nothing, body=Nothing, answer=GuardPage),
)

"""What is running and on what; reading the policy repository again."""

from typing import Final

from pydantic import ConfigDict

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape

__all__ = ["INSTANCE_OPERATIONS"]


class StatusShown(Shape):
    """How this process is: version, versions of what it enforces, and how its log does."""

    model_config = ConfigDict(extra="allow")

    version: str
    instance: str
    public_url: str
    catalog_version: str
    policy_version: str


class Reloaded(Shape):
    """What is in force now, and whether that is another version."""

    changed: bool
    catalog_version: str
    policy_version: str
    servers: int
    agents: int


async def _status(deps: ApiDeps, _asked: Asked[Nothing, Nothing]) -> StatusShown:
    return StatusShown.model_validate(await deps.status())


async def _reload(deps: ApiDeps, _asked: Asked[Nothing, Nothing]) -> Reloaded:
    return Reloaded.model_validate(await deps.reload())


INSTANCE_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="status", run=_status, query=Nothing, body=Nothing, answer=StatusShown),
    Operation(name="reload", run=_reload, query=Nothing, body=Nothing, answer=Reloaded),
)

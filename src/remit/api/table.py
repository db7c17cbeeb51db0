"""Every operation that is answered, in the order of the documentation."""

from typing import Final

from remit.api.agents import AGENT_OPERATIONS
from remit.api.clients import CLIENT_OPERATIONS
from remit.api.grants import GRANT_OPERATIONS
from remit.api.instance import INSTANCE_OPERATIONS
from remit.api.keys import KEY_OPERATIONS
from remit.api.operation import AnyOperation
from remit.api.trail import TRAIL_OPERATIONS
from remit.api.users import USER_OPERATIONS

__all__ = ["OPERATIONS"]

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    *AGENT_OPERATIONS,
    *CLIENT_OPERATIONS,
    *GRANT_OPERATIONS,
    *USER_OPERATIONS,
    *KEY_OPERATIONS,
    *TRAIL_OPERATIONS,
    *INSTANCE_OPERATIONS,
)

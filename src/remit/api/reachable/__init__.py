"""Who can use a thing, and what an agent can use: answered from policy, before anybody calls."""

from remit.api.reachable.operation import REACHABLE_OPERATIONS

__all__ = ["REACHABLE_OPERATIONS"]

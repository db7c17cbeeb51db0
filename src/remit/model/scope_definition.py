"""What one scope means, in words."""

from dataclasses import dataclass

from remit.ids import ScopeName
from remit.model.levels import Sensitivity

__all__ = ["ScopeDefinition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeDefinition:
    """A scope in words a person understands.

    `name` may hold placeholders (`tenant:read:{organization_id}`), each filled
    from the subject's claim of that name when a token is issued.
    """

    name: ScopeName
    title: str
    description: str
    covers: tuple[ScopeName, ...] = ()
    data_categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.LOW
    elevated: bool = False
    """Given to one call, or for a while, by people who were asked; never said by a token."""

"""What of one server a caller may see: exactly what a direct call would not answer as missing."""

from collections.abc import Mapping
from dataclasses import dataclass

from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["Visible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """The answer to a list: who asked, and what they may see."""

    decision_id: str
    token: AccessToken
    names: Mapping[ResourceKind, frozenset[str]]

    def admits(self, kind: ResourceKind, name: str) -> bool:
        """Whether `name` (a tool, a prompt, a URI or a URI template) may stand in the list."""
        raise NotImplementedError

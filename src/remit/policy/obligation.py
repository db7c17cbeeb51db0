"""What a policy asks for besides yes or no: read from the annotations of the policies that made the decision.

Of a `forbid` that matched it is what would cure the refusal; of a `permit` it is a duty that comes with the
permission. A kind that is not known here is refused when policies are checked.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Obligation", "ObligationKind"]


class ObligationKind(StrEnum):
    """The annotation it is written as."""

    STEP_UP = "step_up"
    """Stronger or fresher authentication; `value` is an `acr`, or a maximal age such as `5m`."""
    CONFIRM = "confirm"
    """The person says yes to this very call; `value` is the `acr` that they must have proved who they are with."""
    REQUIRE_SCOPE = "require_scope"
    """The call takes a scope besides those of the thing; `value` is the scope."""
    REQUIRE_APPROVAL = "require_approval"
    """The word of somebody else; `value` is the role that may give it."""
    REQUIRE_JUSTIFICATION = "require_justification"
    """The caller says why; `value` names what has to be told, such as `reason`."""
    REDACT = "redact"
    """The log keeps nothing of an argument, whatever the catalog says; `value` is its name."""
    LIMIT = "limit"
    """At most so many calls; `value` is such as `10/1h`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One annotation of one policy, the policy's `@id` being `rule`."""

    kind: ObligationKind
    value: str
    rule: str

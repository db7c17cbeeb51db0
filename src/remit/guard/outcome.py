"""What the guard answers. A refusal is a value, never an exception."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from remit.audit.context import Context
from remit.audit.port import Receipt
from remit.guard.account import Account
from remit.guard.elevations import Asked, Elevated
from remit.ids import ScopeName
from remit.policy.decision import Decision
from remit.policy.obligation import Obligation
from remit.tokens.access_token import AccessToken

__all__ = ["Challenge", "Deny", "Outcome", "Permit", "RefusalReason", "Told"]


class RefusalReason(StrEnum):
    """Why a call is refused, in one stable word: in the response, the log and the reference page."""

    MISSING_TOKEN = "missing_token"  # noqa: S105  a reason, not a password
    INVALID_TOKEN = "invalid_token"  # noqa: S105
    INVALID_PROOF = "invalid_dpop_proof"
    """The proof of possession is wrong, was used before, or is of another key than the token's."""
    NONCE_NEEDED = "use_dpop_nonce"
    """The proof must carry the nonce that comes with this answer."""
    TOO_MANY_PROOFS = "too_many_proofs"
    """There is no room to remember another proof, so that none can be taken."""
    MALFORMED_REQUEST = "malformed_request"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    NOT_FOUND = "not_found"
    """Unknown to this caller: it does not exist, or may not be seen. The two look the same."""
    FORBIDDEN = "forbidden"
    """A policy forbids this call, or none permits it."""
    WRONG_TENANT = "wrong_tenant"
    WRONG_ENVIRONMENT = "wrong_environment"
    ABOVE_CLEARANCE = "above_clearance"
    """The tool is more sensitive than the agent may touch."""
    INVALID_ARGUMENTS = "invalid_arguments"
    """An argument that policies read is missing or of another type than the catalog says."""
    OUTSIDE_DETAILS = "outside_authorization_details"
    """The token's authorization details do not allow this call, though its scopes would."""
    QUARANTINED = "quarantined"
    """The definition of the thing is not the one that was admitted; somebody has to review it."""
    RATE_LIMITED = "rate_limited"
    """More calls a minute than the agent, the person or the server may have."""
    TOO_MANY_CALLS = "too_many_calls"
    """More calls under way at one time than the agent, the person or the server may have."""
    JUSTIFICATION_NEEDED = "justification_needed"
    """A policy wants to be told why."""
    STEP_UP_NEEDED = "step_up_needed"
    """A policy wants the person to have proved who they are more strongly, or more recently."""
    CONFIRMATION_NEEDED = "confirmation_needed"
    """A policy wants the person to say yes to this very call."""
    ELEVATION_NEEDED = "elevation_needed"
    """A policy wants a scope for this very call, which no token has for good."""
    APPROVAL_NEEDED = "approval_needed"
    """A policy wants somebody else to approve it."""
    LIMIT_REACHED = "limit_reached"
    """A policy permits so many calls in a time, and they are used up."""
    ENGINE_ERROR = "engine_error"
    STALE_SNAPSHOT = "stale_snapshot"
    AUDIT_UNAVAILABLE = "audit_unavailable"


@dataclass(frozen=True, slots=True)
class Told:
    """A place in the log called `log`, as whoever called may keep it."""

    log: str
    receipt: Receipt


def _nothing() -> None:
    """No place was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The call may go ahead; its decision is on stable storage under `decision_id`."""

    decision_id: str
    token: AccessToken
    decision: Decision
    release: Callable[[], None] = _nothing
    """Gives back its place among the calls under way; `Guard.complete` calls it."""
    context: Context | None = None
    """The circumstances as the decision was recorded, for the record of the outcome."""
    account: Account | None = None
    """What the call was counted in as; `None` where no fact of history has to do with it."""
    told: Told | None = None
    """Where the decision stands in the log, for whoever may be told; `None` where nobody is."""
    elevated: Elevated | None = None
    """What people said yes to, spent for this call; a retry that its server asks for has to bring its decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """The call may not go ahead, and no other token would change that.

    `detail` is safe to show to the agent: it names no policy and no hidden thing.
    `about_server`: with `NOT_FOUND`, that it is the server which is not there.
    """

    decision_id: str
    reason: RefusalReason
    detail: str
    about_server: bool = False
    retry_after: int | None = None
    """Seconds after which the same call may succeed, where that is known."""
    argument: str | None = None
    """The name of the argument that is at fault, where one is. Never its value."""
    needs: tuple[Obligation, ...] = ()
    """What would cure it, as the policies that want it say."""
    asked: Asked | None = None
    """Who was asked for the cure, and where; `None` where nobody was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The call may go ahead with another token, or another proof: 403 for `INSUFFICIENT_SCOPE`, else 401."""

    decision_id: str
    reason: RefusalReason
    detail: str
    scopes: tuple[ScopeName, ...] = ()
    """For `INSUFFICIENT_SCOPE`: everything this operation needs, at once."""
    missing: tuple[ScopeName, ...] = ()
    """Those of `scopes` that the token has not."""
    dpop: bool = False
    """Whether a token bound to a key is asked for, with a proof (RFC 9449 §7.1)."""


Outcome = Permit | Deny | Challenge

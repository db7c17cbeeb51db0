"""What can be done about a refusal: in one word for programs, in a line for the agent, in a sentence for the person.

Nothing here depends on who called or on what; it is looked up by the reason that is said, so a thing that is
hidden and one that does not exist have the same remedy.

Source: MISSION H3; docs/reference/refusals.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from remit.guard.outcome import RefusalReason

__all__ = ["MISSING_SERVER", "Obtainable", "Remedy", "remedy_of"]


class Obtainable(StrEnum):
    """Whether the call could succeed, and through whom."""

    AUTHORIZE = "authorize"
    """With another token, which the authorization server may give."""
    PROVE = "prove"
    """With the same token and a new proof of possession."""
    CORRECT = "correct"
    """With another request; this one never."""
    WAIT = "wait"
    """The same request, later."""
    ASK = "ask"
    """Only when an administrator changes something; no token and no other time is promised."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """`how` is for the agent, `message` for the person it acts for. Neither names anything."""

    obtainable: Obtainable
    how: str
    message: str


MISSING_SERVER: Final = Remedy(
    Obtainable.CORRECT,
    "use the address of a server you were given",
    "There is no such server for you.",
)

_LATER: Final = Remedy(
    Obtainable.WAIT, "repeat the call later", "This is not possible at the moment. Try again soon."
)

_REMEDIES: Final[Mapping[RefusalReason, Remedy]] = MappingProxyType(
    {
        RefusalReason.MISSING_TOKEN: Remedy(
            Obtainable.AUTHORIZE,
            "authorize, and send the token",
            "You have to log in, and allow the application to use this.",
        ),
        RefusalReason.INVALID_TOKEN: Remedy(
            Obtainable.AUTHORIZE,
            "refresh the token, or authorize again",
            "What the application was allowed has ended. Log in again.",
        ),
        RefusalReason.INVALID_PROOF: Remedy(
            Obtainable.PROVE,
            "make a new proof for this very request, and repeat it",
            "The application could not prove that the permission it uses is its own.",
        ),
        RefusalReason.NONCE_NEEDED: Remedy(
            Obtainable.PROVE,
            "repeat the request with a proof that carries the nonce of `DPoP-Nonce`",
            "The application has to prove once more that the permission it uses is its own.",
        ),
        RefusalReason.TOO_MANY_PROOFS: _LATER,
        RefusalReason.INSUFFICIENT_SCOPE: Remedy(
            Obtainable.AUTHORIZE,
            "authorize again for the scopes named here, and repeat the call",
            "The application needs a permission for this that you have not given it yet.",
        ),
        RefusalReason.MALFORMED_REQUEST: Remedy(
            Obtainable.CORRECT,
            "send one `Authorization` header, with the token after its scheme",
            "The application sent something that cannot be understood.",
        ),
        RefusalReason.FORBIDDEN: Remedy(
            Obtainable.ASK,
            "do not repeat the call as it is; tell the person what was refused",
            "A rule does not allow this. Whoever is responsible for the rules can say more.",
        ),
        RefusalReason.NOT_FOUND: Remedy(
            Obtainable.CORRECT,
            "list what there is, and use a name from the list",
            "There is nothing of that name that you can use.",
        ),
        RefusalReason.INVALID_ARGUMENTS: Remedy(
            Obtainable.CORRECT,
            "correct the argument, and repeat the call",
            "The application left something out, or got it wrong.",
        ),
        RefusalReason.OUTSIDE_DETAILS: Remedy(
            Obtainable.AUTHORIZE,
            "keep within the authorization details, or authorize again for this call",
            "This goes beyond what you allowed the application to do.",
        ),
        RefusalReason.WRONG_TENANT: Remedy(
            Obtainable.CORRECT, "use a server of your organization", MISSING_SERVER.message
        ),
        RefusalReason.WRONG_ENVIRONMENT: Remedy(
            Obtainable.CORRECT, "use a server of your environment", MISSING_SERVER.message
        ),
        RefusalReason.ABOVE_CLEARANCE: Remedy(
            Obtainable.ASK, "do not repeat the call", "The application may not do this."
        ),
        RefusalReason.QUARANTINED: Remedy(
            Obtainable.ASK,
            "do not repeat the call; an administrator has to review the change",
            "This was changed by those who offer it, and waits for an administrator to look at it.",
        ),
        RefusalReason.RATE_LIMITED: Remedy(
            Obtainable.WAIT,
            "repeat the call after the seconds in `retry_after`",
            "This was used too often in a short time. Try again a little later.",
        ),
        RefusalReason.TOO_MANY_CALLS: Remedy(
            Obtainable.WAIT,
            "repeat the call when another has ended",
            "Too much of this is going on at once. Try again in a moment.",
        ),
        RefusalReason.JUSTIFICATION_NEEDED: Remedy(
            Obtainable.CORRECT,
            'repeat the call, and say why in `_meta["dev.remit/justification"]`',
            "This is only done for a reason, and none was given.",
        ),
        RefusalReason.STEP_UP_NEEDED: Remedy(
            Obtainable.AUTHORIZE,
            "authorize again with what `missing` names as `acr_values` or `max_age`, and repeat the call",
            "This needs you to log in once more, or more strongly than you did.",
        ),
        RefusalReason.CONFIRMATION_NEEDED: Remedy(
            Obtainable.ASK,
            "ask the person to confirm the call at the address that is named, and repeat it as it is",
            "You have to look at this, and say yes to it, before it is done.",
        ),
        RefusalReason.ELEVATION_NEEDED: Remedy(
            Obtainable.ASK,
            "ask the person to allow the scope in `missing` for this call at the address that is named, and repeat it as it is",
            "This takes a permission of its own, which you have to give for this one call.",
        ),
        RefusalReason.APPROVAL_NEEDED: Remedy(
            Obtainable.ASK,
            "do not repeat the call; somebody with the role in `missing` has to approve it",
            "Somebody else has to approve this before it is done.",
        ),
        RefusalReason.LIMIT_REACHED: Remedy(
            Obtainable.WAIT,
            "repeat the call after the seconds in `retry_after`",
            "This may be done only so often. Try again later.",
        ),
        RefusalReason.ENGINE_ERROR: Remedy(
            Obtainable.ASK,
            "do not repeat the call; an operator has to look into it",
            "Whether this is allowed could not be decided, so it was refused.",
        ),
        RefusalReason.STALE_SNAPSHOT: _LATER,
        RefusalReason.AUDIT_UNAVAILABLE: _LATER,
    }
)


def remedy_of(reason: RefusalReason) -> Remedy:
    """What can be done about a refusal for `reason`."""
    return _REMEDIES[reason]

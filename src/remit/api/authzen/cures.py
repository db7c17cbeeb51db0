"""What an asker is told besides yes or no: what policies ask for, and who was asked to cure a denial.

`obligations` are those of the policies that decided: of a permit what the asker has to keep to itself (`redact`), of a
denial what is wanting. `approval` is the request to people, whose page is for the person whom the agent acts for and
approves nothing by being opened. Left out where there is none.

Source: AuthZEN 1.0 §5.5 (the decision's context); docs/adr/0025-cures.md.
"""

from collections.abc import Iterable

from remit.canonical import Json, JsonObject
from remit.guard import Challenge, Deny, Permit
from remit.guard.elevations import Asked
from remit.policy.obligation import Obligation

__all__ = ["told_of_denial", "told_of_permit"]


def told_of_permit(permit: Permit) -> JsonObject:
    """What comes with the permission, and by what elevation there is one."""
    told = _obligations(permit.decision.obligations)
    if permit.elevated is not None:
        told["elevation"] = {"id": permit.elevated.id, "roles": [*permit.elevated.roles]}
    return told


def told_of_denial(verdict: Challenge | Deny) -> JsonObject:
    """What would cure it, and where people were asked for it."""
    if isinstance(verdict, Challenge):
        return {}
    told = _obligations(verdict.needs)
    if verdict.asked is not None:
        told["approval"] = _approval(verdict.asked)
    return told


def _obligations(obligations: Iterable[Obligation]) -> JsonObject:
    """Without the names of the policies: the asker passes on what it is told."""
    said: list[Json] = []
    for one in obligations:
        shown: JsonObject = {"kind": one.kind.value, "value": one.value}
        if shown not in said:
            said.append(shown)
    return {"obligations": said} if said else {}


def _approval(asked: Asked) -> JsonObject:
    return {
        "id": asked.id,
        "state": asked.state.value,
        "url": asked.url,
        "expires_at": asked.expires_at,
        "alone": asked.alone,
        "reason": asked.reason,
    }

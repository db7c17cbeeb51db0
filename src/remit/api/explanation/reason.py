"""The reason of a decision in a sentence for whoever is responsible: the truth, not what the caller was told."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from remit.guard.outcome import RefusalReason
from remit.model import RESERVED_ENGINES

__all__ = ["engine_elsewhere", "sentence_of"]

_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "permitted": "a policy permits it, and none forbids it",
        "observed": "policies refuse it, and where it is used they only observe what they would refuse",
        "listed": "a list was shown, with what this very token may use",
        "allowed_method": "the server's file allows this method to whoever may use the server",
        RefusalReason.MISSING_TOKEN: "the request brought no access token",
        RefusalReason.INVALID_TOKEN: "the token was not good: expired, revoked, of another server, or of somebody who may not act",
        RefusalReason.INVALID_PROOF: "the proof of possession was wrong, or had been used",
        RefusalReason.NONCE_NEEDED: "the proof of possession lacked the nonce of this process",
        RefusalReason.TOO_MANY_PROOFS: "there was no room to remember another proof",
        RefusalReason.MALFORMED_REQUEST: "the `Authorization` header could not be read",
        RefusalReason.INSUFFICIENT_SCOPE: "scopes are missing that the call takes",
        RefusalReason.NOT_FOUND: "the catalog has no such thing, or the server is not there",
        RefusalReason.WRONG_TENANT: "the server or the agent is not of this organisation; the caller was told that there is no such server",
        RefusalReason.WRONG_ENVIRONMENT: "the agent or the token is not of the server's environment; the caller was told that there is no such server",
        RefusalReason.ABOVE_CLEARANCE: "it is more sensitive than the agent may use; the caller was told that it does not exist",
        RefusalReason.INVALID_ARGUMENTS: "an argument was missing, of another type, or not as the schema has it",
        RefusalReason.OUTSIDE_DETAILS: "the token's authorization details do not allow this call",
        RefusalReason.QUARANTINED: "its definition is not the one that was admitted, and waits for review",
        RefusalReason.RATE_LIMITED: "more calls a minute than a limit allows",
        RefusalReason.TOO_MANY_CALLS: "more calls at one time than a limit allows",
        RefusalReason.JUSTIFICATION_NEEDED: "a policy wants to be told why, and the call did not say",
        RefusalReason.STEP_UP_NEEDED: "a policy wants a stronger or fresher log-in than the token tells of",
        RefusalReason.CONFIRMATION_NEEDED: "a policy wants the person to confirm this very call",
        RefusalReason.ELEVATION_NEEDED: "a policy wants a scope that was given for this very call",
        RefusalReason.APPROVAL_NEEDED: "a policy wants somebody else to approve it",
        RefusalReason.LIMIT_REACHED: "a policy permits so many calls in a time, and they were used up",
        RefusalReason.ENGINE_ERROR: "a policy or the engine failed while it was decided; a failure is a refusal",
        RefusalReason.STALE_SNAPSHOT: "it was not known at that moment who is suspended or revoked",
        RefusalReason.AUDIT_UNAVAILABLE: "the log could not take the decision",
    }
)

_OF_ENGINES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "permitted": "the engine `{engine}` permits it, and no policy of the repository forbids it",
        RefusalReason.FORBIDDEN: "no policy of the repository forbids it, but the engine `{engine}` does not permit it",
        RefusalReason.ENGINE_ERROR: "the engine `{engine}` gave no answer to rely on; a failure is a refusal",
    }
)
_OUT_OF_REACH: Final = "it takes scopes that no token of this caller can have; the caller was told that it does not exist"


def engine_elsewhere(body: Mapping[str, Any]) -> str | None:
    """The engine in another process that decided, or was to decide, as the record names it; of ours `None`."""
    engine = body.get("engine")
    return engine if isinstance(engine, str) and engine not in RESERVED_ENGINES else None


def sentence_of(body: Mapping[str, Any]) -> str:
    """Why, of the body of a decision."""
    engine = engine_elsewhere(body)
    if engine is not None and body["reason"] in _OF_ENGINES:
        return _OF_ENGINES[body["reason"]].format(engine=engine)
    if body["reason"] == RefusalReason.FORBIDDEN:
        names = ", ".join(f"`{rule['id']}`" for rule in body["rules"] if rule["effect"] == "forbid")
        return f"forbidden by {names}" if names else "no policy permits it"
    if body["reason"] == RefusalReason.INSUFFICIENT_SCOPE and body["outcome"] == "deny":
        return _OUT_OF_REACH
    said = _SENTENCES.get(body["reason"], str(body["reason"]))
    return f"{said}; people had said yes to it" if body.get("elevation") else said

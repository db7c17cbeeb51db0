"""Whether a call keeps within the authorization details of its token.

A token with details may call the tools that one of them names, with arguments that meet
every constraint of that same detail, until it expires; and may use nothing else, neither
another tool nor a resource nor a prompt. Scopes and policies are asked as well, for
details never widen. A constraint on an argument that is absent, empty or no longer
declared is not met; nor are details that cannot be read.

Source: RFC 9396 §2, §9; docs/adr/0008-authorization-details.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

from remit.clock import EpochSeconds
from remit.guard.target import Target
from remit.policy.evaluation import ArgumentValue, Money, ResourceKind
from remit.tokens.access_token import AccessToken
from remit.tokens.authorization_details import (
    Constraint,
    MalformedDetailsError,
    ToolCallDetail,
    matches_pattern,
    number_of,
    parse_details,
)

__all__ = ["is_named_in_details", "told_in_details", "what_exceeds_details"]

_NOT_NAMED = "the authorization details of the token do not name this"


def is_named_in_details(token: AccessToken, target: Target, now: EpochSeconds) -> bool:
    """Whether some call of `target` may be within the details of `token`; true without any."""
    return not token.authorization_details or bool(_naming(token, target, now))


def told_in_details(token: AccessToken, target: Target, now: EpochSeconds) -> str | None:
    """Why, as the person read it when they consented to the details that speak of `target`; `None` for nothing."""
    if not token.authorization_details:
        return None
    said = (one.justification for one in _naming(token, target, now))
    return next((one for one in said if one), None)


def what_exceeds_details(
    token: AccessToken,
    target: Target,
    arguments: Mapping[str, ArgumentValue],
    *,
    now: EpochSeconds,
) -> str | None:
    """What of this very call goes beyond the details of `token`, safe to show; `None` when nothing does."""
    if not token.authorization_details:
        return None
    naming = _naming(token, target, now)
    if not naming:
        return _NOT_NAMED
    unmet = [_unmet(detail, arguments) for detail in naming]
    if None in unmet:
        return None
    return f"the authorization details of the token do not allow this `{unmet[0]}`"


def _naming(token: AccessToken, target: Target, now: EpochSeconds) -> list[ToolCallDetail]:
    """The details that speak of `target`, here and now."""
    if target.facts.kind is not ResourceKind.TOOL:
        return []
    try:
        details = parse_details(list(token.authorization_details))
    except MalformedDetailsError:
        return []  # a later version wrote them: what they allow is not known here
    return [
        detail
        for detail in details
        if token.aud in detail.locations
        and target.facts.name in detail.tools
        and (detail.expires_at is None or now < detail.expires_at)
    ]


def _unmet(detail: ToolCallDetail, arguments: Mapping[str, ArgumentValue]) -> str | None:
    """The name of the first argument that breaks its constraint."""
    for name, constraint in detail.constraints.items():
        value = arguments.get(name)
        if value is None or not _meets(value, constraint):
            return name
    return None


def _meets(value: ArgumentValue, constraint: Constraint) -> bool:
    match value:
        case Money():
            return value.currency == constraint.currency and _number_meets(value.value, constraint)
        case bool():
            return constraint == Constraint(one_of=constraint.one_of) and any(
                value is one for one in constraint.one_of or ()
            )
        case int() | Decimal():
            return constraint.currency is None and _number_meets(Decimal(value), constraint)
        case str():
            return _text_meets(value, constraint)
        case tuple():
            # An empty list is refused: to many a server it means all.
            return bool(value) and all(_text_meets(one, constraint) for one in value)
        case _:
            assert_never(value)


def _number_meets(value: Decimal, constraint: Constraint) -> bool:
    if constraint.pattern is not None:
        return False
    if constraint.one_of is not None and value not in {number_of(one) for one in constraint.one_of}:
        return False
    if constraint.maximum is not None and value > constraint.maximum:
        return False
    return constraint.minimum is None or value >= constraint.minimum


def _text_meets(value: str, constraint: Constraint) -> bool:
    if constraint.maximum is not None or constraint.minimum is not None or constraint.currency:
        return False
    if constraint.one_of is not None and value not in {
        one for one in constraint.one_of if isinstance(one, str)
    }:
        return False
    return constraint.pattern is None or matches_pattern(value, constraint.pattern)

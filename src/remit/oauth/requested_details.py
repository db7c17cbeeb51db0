"""The authorization details of a request: read, held against a server, and kept within what was granted.

Refuses a detail for another server, of a tool the server does not have, about an argument
the catalog does not declare for it or in a way its type does not admit, and one that has
expired: none of these could be enforced. Refuses what is more than was granted.

Source: RFC 9396 §5, §6, §6.1, §7.1.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from remit.canonical import JsonObject, MalformedJsonError, parse_json
from remit.clock import EpochSeconds
from remit.model import Argument, ArgumentType, Server, Tool
from remit.oauth.errors import InvalidAuthorizationDetailsError
from remit.tokens.authorization_details import (
    Constraint,
    MalformedDetailsError,
    Scalar,
    ToolCallDetail,
    details_json,
    is_within,
    number_of,
    parse_details,
)
from remit.web import Params

__all__ = ["PARAMETER", "known_details", "narrowed_details", "require_details", "require_unexpired"]

PARAMETER: Final = "authorization_details"
_MAX_LENGTH: Final = 3_000
"""Characters: a token that carries them still fits a header."""
_NUMBERS: Final = frozenset({ArgumentType.INTEGER, ArgumentType.DECIMAL, ArgumentType.MONEY})
_TEXTS: Final = frozenset({ArgumentType.STRING, ArgumentType.STRINGS})


def require_details(form: Params, server: Server, *, resource: str) -> tuple[ToolCallDetail, ...]:
    """The details that a request for `server` names, each of which can be enforced there.

    Raises:
        InvalidAuthorizationDetailsError: see the module; not that one has expired.
    """
    details = tuple(detail.at(resource) for detail in _read(form))
    for detail in details:
        _check(detail, server, resource=resource)
    return details


def require_unexpired(details: Iterable[ToolCallDetail], now: EpochSeconds) -> None:
    """Pass while each of `details` allows something.

    Raises:
        InvalidAuthorizationDetailsError: one has expired.
    """
    if any(one.expires_at is not None and one.expires_at <= now for one in details):
        raise InvalidAuthorizationDetailsError("an authorization detail has expired")


def narrowed_details(
    granted: Sequence[JsonObject],
    form: Params,
    server: Server,
    *,
    resource: str,
    now: EpochSeconds,
) -> tuple[JsonObject, ...]:
    """The details of a token: those a request names, within what was granted; else all that was granted.

    Where none were granted only the scopes bound a token, and every detail is narrower.

    Raises:
        InvalidAuthorizationDetailsError: malformed, or more than was granted.
    """
    held = known_details(granted)
    if not held:
        fresh = require_details(form, server, resource=resource)
        require_unexpired(fresh, now)
        return details_json(fresh)
    named = _read(form)
    if not named:
        return tuple(granted)
    asked = tuple(_completed(one, held) for one in named)
    if not is_within(asked, held):
        raise InvalidAuthorizationDetailsError("`authorization_details` are more than was granted")
    return details_json(asked)


def known_details(granted: Sequence[JsonObject]) -> tuple[ToolCallDetail, ...]:
    """Details of ours, as they were stored.

    Raises:
        InvalidAuthorizationDetailsError: a later version of Remit wrote what this one does not know.
    """
    try:
        return parse_details(list(granted)) if granted else ()
    except MalformedDetailsError as error:
        raise InvalidAuthorizationDetailsError(error.detail, cause=error) from error


def _read(form: Params) -> tuple[ToolCallDetail, ...]:
    text = form.one(PARAMETER)
    if text is None:
        return ()
    if len(text) > _MAX_LENGTH:
        raise InvalidAuthorizationDetailsError(
            f"`{PARAMETER}` is longer than {_MAX_LENGTH} characters"
        )
    try:
        return parse_details(parse_json(text.encode()))
    except MalformedJsonError as error:
        raise InvalidAuthorizationDetailsError(f"`{PARAMETER}` is not JSON", cause=error) from error
    except MalformedDetailsError as error:
        raise InvalidAuthorizationDetailsError(error.detail, cause=error) from error


def _completed(one: ToolCallDetail, held: Sequence[ToolCallDetail]) -> ToolCallDetail:
    """`one`, with the locations and the justification of the first of `held` it could narrow, where it names none."""
    for other in held:
        whole = ToolCallDetail(
            locations=one.locations or other.locations,
            tools=one.tools,
            constraints=one.constraints,
            justification=one.justification or other.justification,
            expires_at=one.expires_at,
        )
        if is_within((whole,), (other,)):
            return whole
    return one


def _check(detail: ToolCallDetail, server: Server, *, resource: str) -> None:
    if detail.locations != (resource,):
        raise InvalidAuthorizationDetailsError(
            "an authorization detail is for another server than the request"
        )
    for name in detail.tools:
        tool = server.tools.get(name)
        if tool is None:
            raise InvalidAuthorizationDetailsError("an authorization detail names an unknown tool")
        _check_arguments(detail, tool)


def _check_arguments(detail: ToolCallDetail, tool: Tool) -> None:
    declared = {argument.name: argument for argument in tool.arguments}
    for name, constraint in detail.constraints.items():
        argument = declared.get(name)
        if argument is None:
            raise InvalidAuthorizationDetailsError(
                "a constraint is about an argument that is not declared for its tool"
            )
        if not _admits(argument, constraint):
            raise InvalidAuthorizationDetailsError(
                f"the argument `{argument.name}` cannot be constrained in this way"
            )


def _admits(argument: Argument, constraint: Constraint) -> bool:
    """Whether the constraint could be met by an argument of that type."""
    is_number, is_money = argument.type in _NUMBERS, argument.type is ArgumentType.MONEY
    if is_money is (constraint.currency is None):
        return False  # an amount means nothing without its currency
    if is_money and argument.currency not in {None, constraint.currency}:
        return False
    if (constraint.maximum is not None or constraint.minimum is not None) and not is_number:
        return False
    if constraint.pattern is not None and argument.type not in _TEXTS:
        return False
    return all(_is_of(argument.type, value) for value in constraint.one_of or ())


def _is_of(type_: ArgumentType, value: Scalar) -> bool:
    if type_ in _NUMBERS:
        return number_of(value) is not None
    if type_ is ArgumentType.BOOLEAN:
        return isinstance(value, bool)
    return isinstance(value, str)

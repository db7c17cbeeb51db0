"""What is asked, read and held against the catalog: which thing, which agent, which people, what is known.

Refused: a thing, an agent, a person or an organisation that is not there or not seen, alike; an argument
that the thing does not declare, or of another type; a time without its offset; an address that is none.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from remit.api.administrator import Administrator
from remit.api.problems import BadRequestError
from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.errors import NotFoundError
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.target import Target, targets_of
from remit.ids import AgentId, ServerName, TenantId
from remit.model import Agent, Argument, ArgumentType, Catalog, Server
from remit.policy.evaluation import ArgumentValue
from remit.policy.unsettled import ANY_CALL, Attribute

__all__ = [
    "arguments_given",
    "instant_of",
    "named_agent",
    "named_thing",
    "opened",
    "require_address",
    "tenants_asked",
]

_CURRENCY: Final = "USD"


def named_thing(text: str, by: Administrator, catalog: Catalog) -> tuple[Server, Target]:
    """The thing called `SERVER/NAME`: a tool, else a prompt, else a resource by its URI or template.

    Raises:
        NotFoundError: there is none, or its server is another organisation's.
    """
    name, _, rest = text.partition("/")
    server = catalog.server_named(ServerName(name))
    if server is not None and (server.tenant is None or by.sees(server.tenant)):
        for target in targets_of(server, None):
            if target.facts.name == rest:
                return server, target
    raise NotFoundError("there is no such tool, resource or prompt")


def named_agent(agent_id: str, by: Administrator, catalog: Catalog) -> Agent:
    """The agent of that id.

    Raises:
        NotFoundError: there is none, or it acts in no organisation of theirs.
    """
    unregistered = catalog.unregistered
    agent = unregistered if agent_id == unregistered.id else catalog.agents.get(AgentId(agent_id))
    if agent is None or not by.sees_agent(agent):
        raise NotFoundError("there is no such agent")
    return agent


def tenants_asked(tenant: str | None, by: Administrator, catalog: Catalog) -> tuple[TenantId, ...]:
    """The organisations that the question is about: the one that is named, or all that they see.

    Raises:
        NotFoundError: there is none of that name, or it is not theirs.
    """
    if tenant is None:
        return tuple(one for one in catalog.tenants if by.sees(one))
    if tenant not in catalog.tenants or not by.sees(tenant):
        raise NotFoundError("there is no such organisation")
    return (TenantId(tenant),)


def instant_of(text: str | None, now: EpochSeconds) -> EpochSeconds:
    """The time that is asked about; without one, now.

    Raises:
        BadRequestError: it is no time, or has no offset.
    """
    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadRequestError("`at` is a time with its offset, such as `2026-11-23T10:00:00-05:00`")
    return EpochSeconds(int(at.timestamp()))


def require_address(text: str | None) -> None:
    """Pass when `text` is an address, or nothing.

    Raises:
        BadRequestError: it is something else.
    """
    try:
        if text is not None:
            ip_address(text)
    except ValueError as error:
        raise BadRequestError("`ip` is no address") from error


def opened(*, at: str | None, ip: str | None) -> frozenset[Attribute]:
    """What is not known, when this much is."""
    known: set[Attribute] = set()
    if at is not None:
        known.add(("time",))
    if ip is not None:
        known |= {("ip",), ("networks",)}
    return ANY_CALL - known


def arguments_given(
    given: Mapping[str, str], declared: Sequence[Argument]
) -> Mapping[str, ArgumentValue]:
    """What was said of arguments, each by its name in the catalog, as policies get it.

    An amount may end in its currency, as in `900.00 USD`.

    Raises:
        BadRequestError: the thing has no such argument, or it is of another type.
    """
    named = {one.name: one for one in declared}
    document: JsonObject = {}
    for name, text in given.items():
        if name not in named:
            known = ", ".join(f"`{one}`" for one in named) or "none"
            raise BadRequestError(f"policies can read no argument of that name; declared: {known}")
        _put(document, named[name], text)
    try:
        return typed_arguments(document, [named[name] for name in given])
    except InvalidArgumentError as error:
        raise BadRequestError(error.detail) from error


def _put(document: JsonObject, argument: Argument, text: str) -> None:
    amount, _, currency = text.partition(" ")
    if argument.type is ArgumentType.MONEY:
        _set(document, argument.pointer, amount)
        if argument.currency_pointer is not None:
            _set(document, argument.currency_pointer, currency or _CURRENCY)
        return
    _set(document, argument.pointer, _value(argument.type, text))


def _value(kind: ArgumentType, text: str) -> Json:
    if kind is ArgumentType.BOOLEAN and text in {"true", "false"}:
        return text == "true"
    if kind is ArgumentType.INTEGER and text.removeprefix("-").isdecimal() and len(text) < 20:
        return int(text)
    if kind is ArgumentType.STRINGS:
        return [one.strip() for one in text.split(",")]
    return text


def _set(document: JsonObject, pointer: str, value: Json) -> None:
    *path, last = [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]
    here = document
    for part in path:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            return
        here = below
    here[last] = value

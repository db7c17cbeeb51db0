"""An evaluation in Cedar's own words: entities, request, context.

Refuses to guess: an address that is none, a time zone nobody knows and an amount
of more than four decimals raise, and the decision point makes a refusal of it.

Source: Cedar JSON entity and context format (`__extn` for addresses and decimals).
"""

from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from remit.canonical import Json, JsonObject, canonical_text
from remit.policy.evaluation import (
    ArgumentValue,
    Evaluation,
    Money,
    Phase,
    ResourceFacts,
    ResourceKind,
    Subject,
)
from remit.policy.facts import age_of_authentication, age_of_confirmation, local_time
from remit.policy.history import HistoryValue
from remit.policy.vocabulary import (
    ACTION_TYPE,
    ARGUMENTS,
    CIRCUMSTANCES_ID,
    CIRCUMSTANCES_TYPE,
    HISTORY,
    ISSUE,
    JUSTIFICATION,
    NAMESPACE,
    SAID,
    SAYING,
    TOLD,
    action_name,
    entity_type,
    group_names,
    principal_type,
)

__all__ = [
    "action_of",
    "address_json",
    "argument_json",
    "context_json",
    "history_json",
    "open_context_json",
    "open_entities",
    "principal_entity",
    "principal_uid",
    "resource_entities",
    "resource_uid",
]

_DECIMALS: Final = Decimal("0.0001")


def action_of(evaluation: Evaluation) -> str:
    """The name of the action that is asked for."""
    if evaluation.phase is Phase.ISSUE:
        return ISSUE
    resource = evaluation.resource
    return action_name(resource.kind, resource.server, resource.name)


def principal_uid(subject: Subject) -> dict[str, str]:
    """The entity that a subject is."""
    return {"type": f"{NAMESPACE}::{principal_type(subject.kind)}", "id": subject.id}


def resource_uid(resource: ResourceFacts) -> dict[str, str]:
    """The entity that a resource is: named like its action, and a server like itself."""
    if resource.kind is ResourceKind.SERVER:
        identifier: str = resource.server
    else:
        identifier = action_name(resource.kind, resource.server, resource.name)
    return {"type": f"{NAMESPACE}::{entity_type(resource.kind)}", "id": identifier}


def principal_entity(subject: Subject) -> str:
    """The principal with its attributes, as a JSON list of one entity."""
    return canonical_text([_principal(subject)])


def resource_entities(resource: ResourceFacts, action: str) -> str:
    """The resource, and the action with every group it stands in, as a JSON list."""
    attributes: JsonObject = {
        "server": resource.server,
        "name": resource.name,
        "environment": resource.environment,
        "operation": resource.operation.value,
        "sensitivity": resource.sensitivity.value,
        "sensitivity_rank": resource.sensitivity.rank,
        "data_categories": list(resource.data_categories),
        "owner": resource.owner,
    }
    if resource.tenant is not None:
        attributes["tenant"] = resource.tenant
    if resource.region is not None:
        attributes["region"] = resource.region
    server = {"type": f"{NAMESPACE}::{entity_type(ResourceKind.SERVER)}", "id": resource.server}
    groups: tuple[str, ...] = ()
    if action != ISSUE:
        groups = group_names(resource.server, resource.operation)
    return canonical_text(
        [
            {
                "uid": resource_uid(resource),
                "attrs": attributes,
                "parents": [] if resource.kind is ResourceKind.SERVER else [server],
            },
            {
                "uid": {"type": ACTION_TYPE, "id": action},
                "attrs": {},
                "parents": [{"type": ACTION_TYPE, "id": group} for group in groups],
            },
        ]
    )


def context_json(evaluation: Evaluation) -> str:
    """The context record; what only a call brings is in it when it is known."""
    facts = _circumstances(evaluation)
    if evaluation.phase is not Phase.ISSUE:
        facts |= _brought(evaluation)
    return canonical_text(facts)


def address_json(text: str) -> JsonObject:
    """A network address.

    Raises:
        ValueError: it is none.
    """
    return {"__extn": {"fn": "ip", "arg": _address(text)}}


def argument_json(value: ArgumentValue) -> Json:
    """One argument.

    Raises:
        ValueError: it is an amount of more than four decimals.
    """
    match value:
        case Decimal():
            return _decimal(value)
        case Money():
            return {"value": _decimal(value.value), "currency": value.currency}
        case tuple():
            return list(value)
        case _:
            return value


def history_json(value: HistoryValue) -> Json:
    """One fact of what was done before.

    Raises:
        ValueError: it is a sum of more than four decimals.
    """
    if isinstance(value, Decimal):
        return _decimal(value)
    return [*sorted(value)] if isinstance(value, frozenset) else value


def open_context_json(open_to: Collection[str]) -> str:
    """The context record of an open question: of the attributes `open_to` nothing is known.

    What says why may be there and may not, so that it stands in a record of which nothing is known either.
    """
    names = {SAYING if name in SAID else name for name in open_to}
    return canonical_text(
        {name: {"__extn": {"fn": "unknown", "arg": name}} for name in sorted(names)}
    )


def open_entities(evaluation: Evaluation, open_to: Collection[str] = (ARGUMENTS,)) -> str:
    """The principal, and what else is known of the context, for an open question."""
    known = {name: value for name, value in _brought(evaluation).items() if name not in open_to}
    circumstances = {
        "uid": {"type": f"{NAMESPACE}::{CIRCUMSTANCES_TYPE}", "id": CIRCUMSTANCES_ID},
        "attrs": _circumstances(evaluation) | known,
        "parents": [],
    }
    return canonical_text([_principal(evaluation.subject), circumstances])


@lru_cache(maxsize=4_096)
def _address(text: str) -> str:
    """An address as a network rule means it: no zone, and IPv4 as IPv4 however it came."""
    address = ip_address(text.split("%", 1)[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def _principal(subject: Subject) -> JsonObject:
    return {
        "uid": {**principal_uid(subject)},
        "attrs": {"id": subject.id, "tenant": subject.tenant, "roles": list(subject.roles)},
        "tags": dict(subject.attributes),
        "parents": [],
    }


def _brought(evaluation: Evaluation) -> JsonObject:
    """What of the context only a call brings, as far as it is known."""
    context = evaluation.context
    brought: JsonObject = {}
    if context.arguments is not None:
        brought[ARGUMENTS] = {name: argument_json(one) for name, one in context.arguments.items()}
    if context.history is not None:
        brought[HISTORY] = {name: history_json(one) for name, one in context.history.items()}
    if context.justification is not None:
        brought[JUSTIFICATION] = context.justification
    if context.told is not None:
        brought[TOLD] = dict(context.told)
    return brought


def _circumstances(evaluation: Evaluation) -> JsonObject:
    """All of the context but what only a call brings."""
    agent, token = evaluation.agent, evaluation.token
    said: JsonObject = {
        "client_id": token.client_id,
        "scopes": list(token.scopes),
        "amr": list(token.amr),
        "purpose": token.purpose,
    }
    if token.acr is not None:
        said["acr"] = token.acr
    if token.auth_time is not None:
        said["auth_time"] = token.auth_time
    proved: JsonObject = {name: said[name] for name in ("acr", "amr", "auth_time") if name in said}
    age = age_of_authentication(evaluation)
    if age is not None:
        proved["age_seconds"] = age
    elevation = evaluation.context.elevation
    elevated: JsonObject = {"roles": list(elevation.roles), "scopes": list(elevation.scopes)}
    if elevation.acr is not None:
        elevated["acr"] = elevation.acr
    confirmed = age_of_confirmation(evaluation)
    if confirmed is not None:
        elevated["age_seconds"] = confirmed
    facts: JsonObject = {
        "agent": {"id": agent.id, "class": agent.agent_class.value, "owner": agent.owner},
        "token": said,
        "authentication": proved,
        "elevation": elevated,
        "networks": list(evaluation.context.networks),
        "environment": evaluation.resource.environment,
        "time": dict(local_time(evaluation.context.now, evaluation.context.time_zone)),
    }
    if evaluation.context.ip is not None:
        facts["ip"] = address_json(evaluation.context.ip)
    return facts


def _decimal(value: Decimal) -> JsonObject:
    exact = value.quantize(_DECIMALS)
    if exact != value:
        # INVARIANT: an amount reaches a policy exactly, or not at all.
        raise ValueError("a decimal has more than four places")
    return {"__extn": {"fn": "decimal", "arg": f"{exact:f}"}}

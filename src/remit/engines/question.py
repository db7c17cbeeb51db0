"""A question as JSON: the facts that Cedar policies read, under the names they read them by.

Never in it: the caller's token, or anything that identifies it. Refused, because another process would
read another number: an amount that no double holds exactly, an integer beyond 2^53.

Source: docs/guides/policy-engines.md; RFC 8259 §6 (numbers).
"""

from decimal import Decimal
from typing import Final

from remit.canonical import Json, JsonObject
from remit.policy.evaluation import (
    ArgumentValue,
    Evaluation,
    Money,
    Phase,
    ResourceFacts,
    Subject,
)
from remit.policy.facts import local_time
from remit.policy.history import HistoryValue
from remit.policy.port import EngineUnavailableError

__all__ = ["agent_facts", "arguments_json", "circumstances", "resource_facts", "token_facts", "who"]

_EXACT: Final = 2**53


def who(subject: Subject) -> JsonObject:
    """The person or workload, but for the id."""
    return {
        "kind": subject.kind.value,
        "tenant": subject.tenant,
        "roles": list(subject.roles),
        "attributes": dict(subject.attributes),
    }


def agent_facts(evaluation: Evaluation) -> JsonObject:
    """The agent, as registered."""
    agent = evaluation.agent
    return {"id": agent.id, "class": agent.agent_class.value, "owner": agent.owner}


def token_facts(evaluation: Evaluation) -> JsonObject:
    """What the verified token says."""
    token = evaluation.token
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
    return said


def resource_facts(resource: ResourceFacts) -> JsonObject:
    """What the call is on, as the catalog has it."""
    facts: JsonObject = {
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
        facts["tenant"] = resource.tenant
    if resource.region is not None:
        facts["region"] = resource.region
    return facts


def circumstances(evaluation: Evaluation) -> JsonObject:
    """When, from where, why, and after what. Why somebody may call is not known before they do, whoever asks for a list."""
    context = evaluation.context
    facts: JsonObject = {
        "time": dict(local_time(context.now, context.time_zone)),
        "networks": list(context.networks),
    }
    if context.ip is not None:
        facts["ip"] = context.ip
    if evaluation.phase is not Phase.LIST:
        if context.justification is not None:
            facts["justification"] = context.justification
        if context.told is not None:
            facts["told"] = dict(context.told)
    if context.history is not None:
        facts["history"] = {name: _past(value) for name, value in context.history.items()}
    return facts


def arguments_json(evaluation: Evaluation) -> JsonObject | None:
    """The declared arguments; `None` where they are not known.

    Raises:
        EngineUnavailableError: one would be another number on the other side.
    """
    arguments = evaluation.context.arguments
    if arguments is None:
        return None
    return {name: _argument(value) for name, value in arguments.items()}


def _argument(value: ArgumentValue) -> Json:
    match value:
        case Money():
            return {"value": _exactly(value.value), "currency": value.currency}
        case Decimal():
            return _exactly(value)
        case bool():
            return value
        case int() if not -_EXACT <= value <= _EXACT:
            raise EngineUnavailableError("an integer argument is too large to be told exactly")
        case tuple():
            return list(value)
        case _:
            return value


def _past(value: HistoryValue) -> Json:
    match value:
        case Decimal():
            return _exactly(value)
        case frozenset():
            return [*sorted(value)]
        case _:
            return value


def _exactly(value: Decimal) -> float:
    # INVARIANT: an amount reaches a policy exactly, or not at all.
    number = float(value)
    if Decimal(repr(number)) != value:
        raise EngineUnavailableError("an amount is too long to be told exactly")
    return number

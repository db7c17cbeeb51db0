"""The Cedar schema of a catalog: what policies may speak of, and its types.

Refuses, by Cedar's strict validation against it, a policy that names an action,
an attribute or an argument that does not exist, compares what cannot be compared,
or reads what may be absent without asking first.

Source: Cedar JSON schema format.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, assert_never

from remit.canonical import Json, JsonObject
from remit.model import Argument, ArgumentType, HistoryFact, HistoryMeasure, Operation
from remit.policy.evaluation import ResourceKind, SubjectKind
from remit.policy.vocabulary import (
    ARGUMENTS,
    CALL,
    HISTORY,
    ISSUE,
    JUSTIFICATION,
    NAMESPACE,
    TOLD,
    CallableThing,
    Declared,
    callable_things,
    entity_type,
    group_names,
    principal_type,
    server_groups,
)

__all__ = ["schema_of", "schema_of_part"]

_STRING: Final[JsonObject] = {"type": "String"}
_LONG: Final[JsonObject] = {"type": "Long"}
_BOOLEAN: Final[JsonObject] = {"type": "Boolean"}
_STRINGS: Final[JsonObject] = {"type": "Set", "element": {"type": "String"}}
_DECIMAL: Final[JsonObject] = {"type": "Extension", "name": "decimal"}
_ADDRESS: Final[JsonObject] = {"type": "Extension", "name": "ipaddr"}

_PRINCIPALS: Final = [principal_type(kind) for kind in SubjectKind]


def schema_of(catalog: Declared) -> JsonObject:
    """The schema as Cedar reads it."""
    return {
        NAMESPACE: {
            "commonTypes": _common_types(),
            "entityTypes": _entity_types(),
            "actions": _actions(catalog),
        }
    }


def schema_of_part(
    action: str,
    resource_type: str,
    *,
    parts: Mapping[str, frozenset[str]],
    arguments: Iterable[Argument] | None,
    history: Mapping[str, HistoryFact],
    told: Collection[str],
) -> JsonObject:
    """The schema of one action whose context holds no more than `parts` and `arguments`.

    `parts` names attributes of the context, with the attributes of each that are left; it is as in
    the whole schema that they are typed. For questions alone: no policy is validated against it.
    """
    whole = _context(arguments or (), history, told)["attributes"]
    types = _common_types()
    attributes: JsonObject = {}
    for part, names in parts.items():
        attributes[part] = _part(whole, types, part, names)
    if arguments is not None:
        attributes[ARGUMENTS] = _of(whole, ARGUMENTS)
    applies: JsonObject = {
        "principalTypes": list(_PRINCIPALS),
        "resourceTypes": [resource_type],
        "context": _record(attributes),
    }
    return {
        NAMESPACE: {
            "commonTypes": {"Money": types["Money"]},
            "entityTypes": {name: {} for name in (*_PRINCIPALS, resource_type)},
            "actions": {action: {"appliesTo": applies}},
        }
    }


def _part(whole: Json, types: JsonObject, part: str, names: frozenset[str]) -> Json:
    """The type of one attribute of the context, with `names` alone if it is a record of several."""
    kind = _of(whole, part)
    common = types.get(str(_of(kind, "type")))
    if common is None:
        return kind
    attributes = _of(common, "attributes")
    return _record({name: _of(attributes, name) for name in sorted(names)})


def _of(record: Json, name: str) -> Json:
    if not isinstance(record, dict):
        raise TypeError("a schema is made of objects")
    return record[name]


def _common_types() -> JsonObject:
    return {
        "AgentFacts": _record({"id": _STRING, "class": _STRING, "owner": _STRING}),
        "TokenFacts": _record(
            {
                "client_id": _STRING,
                "scopes": _STRINGS,
                "acr": _optional(_STRING),
                "amr": _STRINGS,
                "auth_time": _optional(_LONG),
                "purpose": _STRING,
            }
        ),
        "AuthenticationFacts": _record(
            {
                "acr": _optional(_STRING),
                "amr": _STRINGS,
                "auth_time": _optional(_LONG),
                "age_seconds": _optional(_LONG),
            }
        ),
        "ElevationFacts": _record(
            {
                "roles": _STRINGS,
                "acr": _optional(_STRING),
                "age_seconds": _optional(_LONG),
                "scopes": _STRINGS,
            }
        ),
        "TimeFacts": _record(
            {
                "epoch": _LONG,
                "zone": _STRING,
                "hour": _LONG,
                "minute": _LONG,
                "weekday": _STRING,
                "date": _STRING,
            }
        ),
        "Money": _record({"value": _DECIMAL, "currency": _STRING}),
    }


def _entity_types() -> JsonObject:
    principal = _record({"id": _STRING, "tenant": _STRING, "roles": _STRINGS})
    resource = _record(
        {
            "server": _STRING,
            "name": _STRING,
            "tenant": _optional(_STRING),
            "region": _optional(_STRING),
            "environment": _STRING,
            "operation": _STRING,
            "sensitivity": _STRING,
            "sensitivity_rank": _LONG,
            "data_categories": _STRINGS,
            "owner": _STRING,
        }
    )
    server = entity_type(ResourceKind.SERVER)
    types: JsonObject = {name: {"shape": principal, "tags": _STRING} for name in _PRINCIPALS}
    for kind in ResourceKind:
        parents: JsonObject = {} if kind is ResourceKind.SERVER else {"memberOfTypes": [server]}
        types[entity_type(kind)] = {"shape": resource, **parents}
    return types


def _actions(catalog: Declared) -> JsonObject:
    actions: JsonObject = {CALL: {}}
    groups = [operation.value for operation in Operation]
    groups += server_groups(catalog)
    for group in groups:
        actions[group] = {"memberOf": [{"id": CALL}]}
    for thing in callable_things(catalog):
        actions[thing.action] = _action(thing, catalog)
    actions[ISSUE] = {
        "appliesTo": {
            "principalTypes": list(_PRINCIPALS),
            "resourceTypes": [entity_type(ResourceKind.SERVER)],
            "context": _context(None, {}, ()),
        }
    }
    return actions


def _action(thing: CallableThing, catalog: Declared) -> JsonObject:
    return {
        "memberOf": [{"id": name} for name in group_names(thing.server, thing.operation)],
        "appliesTo": {
            "principalTypes": list(_PRINCIPALS),
            "resourceTypes": [entity_type(thing.kind)],
            "context": _context(thing.arguments, catalog.history, catalog.told),
        },
    }


def _context(
    arguments: Iterable[Argument] | None,
    history: Mapping[str, HistoryFact],
    told: Collection[str],
) -> JsonObject:
    """`arguments` and `history` are always there on a call, even when empty, and never at issuance."""
    attributes: JsonObject = {
        "agent": {"type": "AgentFacts"},
        "token": {"type": "TokenFacts"},
        "authentication": {"type": "AuthenticationFacts"},
        "elevation": {"type": "ElevationFacts"},
        "time": {"type": "TimeFacts"},
        "ip": _optional(_ADDRESS),
        "networks": _STRINGS,
        "environment": _STRING,
    }
    if arguments is not None:
        attributes[JUSTIFICATION] = _optional(_STRING)
        attributes[TOLD] = _optional(_record({name: _optional(_STRING) for name in sorted(told)}))
        attributes[HISTORY] = _record({name: _type_of_fact(one) for name, one in history.items()})
        attributes[ARGUMENTS] = _record(
            {
                argument.name: _type_of(argument.type)
                if argument.required
                else _optional(_type_of(argument.type))
                for argument in arguments
            }
        )
    return _record(attributes)


def _type_of(kind: ArgumentType) -> JsonObject:
    match kind:
        case ArgumentType.STRING:
            return _STRING
        case ArgumentType.INTEGER:
            return _LONG
        case ArgumentType.BOOLEAN:
            return _BOOLEAN
        case ArgumentType.DECIMAL:
            return _DECIMAL
        case ArgumentType.MONEY:
            return {"type": "Money"}
        case ArgumentType.STRINGS:
            return _STRINGS
        case _:
            assert_never(kind)


def _type_of_fact(fact: HistoryFact) -> JsonObject:
    match fact.measure:
        case HistoryMeasure.COUNT:
            return _LONG
        case HistoryMeasure.SUM:
            return _DECIMAL
        case HistoryMeasure.EVER:
            return _BOOLEAN
        case HistoryMeasure.TOOLS | HistoryMeasure.DATA_CATEGORIES:
            return _STRINGS
        case _:
            assert_never(fact.measure)


def _record(attributes: JsonObject) -> JsonObject:
    return {"type": "Record", "attributes": attributes}


def _optional(kind: JsonObject) -> JsonObject:
    return {**kind, "required": False}

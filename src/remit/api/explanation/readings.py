"""What a policy looked at, each attribute with its value as the record has it, or why there is none to show.

Arguments, the justification and what was done before are the record's own; the rest follows from the token it tells of
and from the catalog in force. What the record holds sealed decides again and is not shown; what it does not hold is
said to be missing. Nothing is taken from elsewhere.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Any, Final

from remit.api.explanation.rebuilt import Rebuilt, value_at
from remit.canonical import Json, JsonObject
from remit.guard.caller import Caller
from remit.guard.elevations import elevating
from remit.guard.limits import scope_limits
from remit.guard.networks import NetworkNames
from remit.guard.question import Moment, question
from remit.guard.standing import agent_of
from remit.guard.withheld import is_shown
from remit.guard.world import World
from remit.model import Argument, Catalog
from remit.policy import DecisionPoint
from remit.policy.evaluation import Evaluation, Phase
from remit.policy.facts import FACTS
from remit.policy.places import PolicyPlace

__all__ = ["Held", "evaluation_of", "justification_told", "readings_of"]

_ARGUMENTS: Final = "context.arguments"
_HISTORY: Final = "context.history"
_SAID: Final = "context.told"
_TAG: Final = 'principal tag "'


class Held(StrEnum):
    """How the log holds what was read. `ABSENT`: it holds that there was none."""

    OPEN = "open"
    ABSENT = "absent"
    SEALED = "sealed"
    PSEUDONYM = "pseudonym"
    MISSING = "missing"


def readings_of(
    place: PolicyPlace, entry: JsonObject, rebuilt: Rebuilt | None, asked: Evaluation | None
) -> list[JsonObject]:
    """Each attribute that the policy reads: its value, and how it is held; `recorded`: that the value is told."""
    return [{"attribute": path, **_reading(path, entry, rebuilt, asked)} for path in place.reads]


def justification_told(entry: JsonObject, rebuilt: Rebuilt | None) -> JsonObject:
    """Why it was called, in the caller's own words, where the log has them."""
    body: Any = entry.get("body")
    if not entry.get("agent") or "justification" not in body:
        return _told(None, Held.MISSING)
    kept = body["justification"]
    if kept is None:
        return _told(None, Held.ABSENT)
    if is_shown(kept):
        return _told(kept, Held.OPEN)
    sealed = rebuilt is not None and rebuilt.justification_known
    return _told(None, Held.SEALED if sealed else Held.PSEUDONYM)


def evaluation_of(
    rebuilt: Rebuilt, catalog: Catalog, decisions: DecisionPoint
) -> Evaluation | None:
    """What policies would be asked with the catalog in force, but for arguments and the past; `None` when nothing."""
    agent, server = agent_of(rebuilt.token, catalog), catalog.server_named(rebuilt.call.server)
    if agent is None or server is None or rebuilt.target is None:
        return None
    caller = Caller(
        token=rebuilt.token,
        agent=agent,
        server=server,
        world=World(catalog, decisions),
        limits=scope_limits(rebuilt.token, agent, catalog),
    )
    ip = rebuilt.call.context.network.ip
    networks = NetworkNames(catalog.networks).of(ip)
    asked = question(
        Phase.CALL,
        caller,
        target=rebuilt.target,
        scopes=caller.effective,
        arguments=None,
        moment=Moment(rebuilt.now, ip, networks, rebuilt.call.justification),
    )
    return asked if rebuilt.elevated is None else elevating(asked, rebuilt.elevated)


def _reading(
    path: str, entry: JsonObject, rebuilt: Rebuilt | None, asked: Evaluation | None
) -> JsonObject:
    if path == "context.justification":
        return justification_told(entry, rebuilt)
    if path == _SAID or path.startswith(f"{_SAID}."):
        return _said(path, entry, rebuilt, asked)
    if path == _HISTORY or path.startswith(f"{_HISTORY}."):
        return _past(path, entry)
    if path == _ARGUMENTS or path.startswith(f"{_ARGUMENTS}."):
        return _argument(path, entry, rebuilt)
    if path.startswith(_TAG):
        return _tag(path.removeprefix(_TAG).rstrip('"'), entry, rebuilt)
    return _fact(path, asked)


def _said(
    path: str, entry: JsonObject, rebuilt: Rebuilt | None, asked: Evaluation | None
) -> JsonObject:
    """What was told by its name: held as the justification is, and absent where nothing of it is as it is declared."""
    held = justification_told(entry, rebuilt)
    if not held["recorded"]:
        return held
    if asked is None or rebuilt is None or rebuilt.token.authorization_details:
        return _told(None, Held.MISSING)  # what was consented to is sealed, and may have told it
    told = asked.context.told or {}
    names = path.split(".")[2:]
    value: Json = told.get(names[0]) if names else {**told} or None
    return _told(value, Held.ABSENT if value is None else Held.OPEN)


def _past(path: str, entry: JsonObject) -> JsonObject:
    body: Any = entry.get("body")
    told: Mapping[str, Json] = body.get("history") or {}
    if path == _HISTORY:
        return _told({**told}, Held.OPEN) if told else _told(None, Held.MISSING)
    name = path.split(".")[2]
    return _told(told[name], Held.OPEN) if name in told else _told(None, Held.MISSING)


def _argument(path: str, entry: JsonObject, rebuilt: Rebuilt | None) -> JsonObject:
    body: Any = entry.get("body")
    if body.get("method") == "resources/read":
        whole = rebuilt is not None and rebuilt.call.name == body.get("name")
        return _told(body.get("name"), Held.OPEN) if whole else _told(None, Held.SEALED)
    names = path.split(".")[2:]
    if rebuilt is None or rebuilt.target is None or not names:
        return _told(None, Held.MISSING)
    declared = next((one for one in rebuilt.target.arguments if one.name == names[0]), None)
    if declared is None:
        return _told(None, Held.MISSING)
    return _declared(declared, names[1:], body.get("input"), rebuilt)


def _declared(argument: Argument, below: list[str], kept: Json, rebuilt: Rebuilt) -> JsonObject:
    pointer: str | None = argument.pointer
    if below == ["currency"]:
        pointer = argument.currency_pointer
        if pointer is None:
            return _told(argument.currency, Held.OPEN)
    value = value_at(kept, pointer or "")
    if pointer in rebuilt.opened:
        return _told(None, Held.SEALED)
    if value is not None:
        return _told(value, Held.OPEN) if is_shown(value) else _told(None, Held.PSEUDONYM)
    return _told(None, Held.MISSING if argument.name in rebuilt.missing else Held.ABSENT)


def _tag(name: str, entry: JsonObject, rebuilt: Rebuilt | None) -> JsonObject:
    """An attribute of the person: the log has the names of all that there were, and the values sealed."""
    body: Any = entry.get("body")
    claims = body.get("claims") or {}
    if rebuilt is None or "attributes" not in claims:
        return _told(None, Held.MISSING)
    if name not in (claims["attributes"] or ()):
        return _told(None, Held.ABSENT)
    return _told(None, Held.SEALED if rebuilt.attributes_known else Held.MISSING)


def _fact(path: str, asked: Evaluation | None) -> JsonObject:
    if asked is None:
        return _told(None, Held.MISSING)
    first, _, name = path.partition(".")
    if first == "resource":
        value = getattr(asked.resource, name, None)
        if name == "sensitivity_rank":
            value = asked.resource.sensitivity.rank
    else:
        getter = FACTS.get(tuple(path.split(".")))
        if getter is None:
            return _told(None, Held.MISSING)
        value = getter(asked)
    return _told(None, Held.ABSENT) if value is None else _told(_json(value), Held.OPEN)


def _json(value: object) -> Json:
    if isinstance(value, tuple | frozenset):
        return [str(one) for one in value]
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, int) else str(value)


def _told(value: Json, held: Held) -> JsonObject:
    return {"value": value, "recorded": held in {Held.OPEN, Held.ABSENT}, "held": held.value}

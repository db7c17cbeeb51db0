"""The parts of a request as they are kept: what was wanted when it was made, whatever the repository says since."""

from collections.abc import Mapping, Sequence

from remit.approvals.request import Part, PartKind
from remit.canonical import Json, JsonObject
from remit.clock import Seconds
from remit.errors import Error
from remit.ids import ScopeName
from remit.model import Escalation

__all__ = ["UnreadablePartsError", "parts_json", "read_parts"]


class UnreadablePartsError(Error):
    """What a row says of the parts of its request is not what was written there."""

    code = "unreadable_parts"


def parts_json(parts: Sequence[Part]) -> list[Json]:
    """`parts`, as `read_parts` reads them."""
    return [_part_json(part) for part in parts]


def read_parts(value: Json) -> tuple[Part, ...]:
    """What `parts_json` wrote.

    Raises:
        UnreadablePartsError: it is not that.
    """
    try:
        return tuple(_part(one) for one in value)  # type: ignore[union-attr, arg-type]  # below
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadablePartsError("the parts of a request cannot be read", cause=error) from error


def _part_json(part: Part) -> JsonObject:
    escalation = part.escalation
    return {
        "kind": part.kind.value,
        "acr": part.acr,
        "fresh": part.fresh,
        "anew": part.anew,
        "role": part.role,
        "quorum": part.quorum,
        "rule": part.rule,
        "owners": part.owners,
        "escalation": None
        if escalation is None
        else {"after": escalation.after, "role": escalation.role},
        "scope": part.scope,
        "notify": list(part.notify),
    }


def _part(one: Mapping[str, Json]) -> Part:
    escalation, notify, scope = one["escalation"], one["notify"], one["scope"]
    return Part(
        kind=PartKind(str(one["kind"])),
        acr=_text(one["acr"]),
        fresh=None if one["fresh"] is None else Seconds(_number(one["fresh"])),
        anew=one["anew"] is True,
        role=_text(one["role"]),
        quorum=_number(one["quorum"]),
        rule=str(one["rule"]),
        owners=one["owners"] is True,
        escalation=_escalation(escalation) if isinstance(escalation, dict) else None,
        scope=None if scope is None else ScopeName(str(scope)),
        notify=tuple(str(name) for name in notify) if isinstance(notify, list) else (),
    )


def _escalation(value: Mapping[str, Json]) -> Escalation:
    return Escalation(after=Seconds(_number(value["after"])), role=str(value["role"]))


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _number(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a whole number")
    return value

"""Authorization details of type `mcp_tool_call`: which tools may be called, with which arguments.

One detail allows calls of its `tools` at its `locations` whose arguments meet all its
`constraints`, until `expires_at`. Several widen one another; all of them together only
ever narrow what the scopes of a token allow.

Refuses what it does not know: another type, another field, another kind of constraint,
a value of another JSON type, and more of anything than a token has room for. What cannot
be proved to be narrower is not narrower.

Source: RFC 9396 §2, §5, §7, §7.1; docs/adr/0008-authorization-details.md.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.model.justification import LONGEST, as_json, justification_text

__all__ = [
    "TOOL_CALL",
    "Constraint",
    "MalformedDetailsError",
    "Scalar",
    "ToolCallDetail",
    "details_json",
    "is_within",
    "matches_pattern",
    "number_of",
    "parse_details",
]

TOOL_CALL: Final = "mcp_tool_call"

Scalar = str | int | bool
"""What an argument is compared to. A number with decimals is written as a string, so that it stays exact."""

_FIELDS: Final = frozenset(
    {"type", "locations", "tools", "constraints", "justification", "expires_at"}
)
_BOUNDS: Final = frozenset({"equals", "one_of", "max", "min", "pattern", "currency"})
_MAX_DETAILS: Final = 8
_MAX_NAMES: Final = 32
_MAX_TEXT: Final = 256
_MAX_TIME: Final = 2**53
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class MalformedDetailsError(Error):
    """Not authorization details that we understand whole."""

    code: ClassVar[str] = "invalid_authorization_details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What one argument must be. Everything given must hold.

    `maximum` and `minimum` are inclusive. In `pattern` a `*` stands for any characters.
    `currency` is that of every amount here, and must be the argument's own.
    """

    one_of: tuple[Scalar, ...] | None = None
    """The only values; `equals` is one of one."""
    maximum: Decimal | None = None
    minimum: Decimal | None = None
    pattern: str | None = None
    currency: str | None = None

    def as_json(self) -> JsonObject:
        """As it stands in a token."""
        members: JsonObject = {}
        if self.one_of is not None:
            if len(self.one_of) == 1:
                members["equals"] = self.one_of[0]
            else:
                members["one_of"] = list(self.one_of)
        if self.maximum is not None:
            members["max"] = str(self.maximum)
        if self.minimum is not None:
            members["min"] = str(self.minimum)
        if self.pattern is not None:
            members["pattern"] = self.pattern
        if self.currency is not None:
            members["currency"] = self.currency
        return members


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDetail:
    """One detail. `locations` are canonical resource indicators; empty only before they are filled in."""

    locations: tuple[str, ...]
    tools: tuple[str, ...]
    constraints: Mapping[str, Constraint] = field(default_factory=lambda: MappingProxyType({}))
    justification: str = ""
    expires_at: EpochSeconds | None = None

    def as_json(self) -> JsonObject:
        """As it stands in a token."""
        members: JsonObject = {
            "type": TOOL_CALL,
            "locations": list(self.locations),
            "tools": list(self.tools),
        }
        if self.constraints:
            members["constraints"] = {
                name: constraint.as_json() for name, constraint in self.constraints.items()
            }
        if self.justification:
            members["justification"] = as_json(self.justification)
        if self.expires_at is not None:
            members["expires_at"] = self.expires_at
        return members

    def at(self, resource: str) -> "ToolCallDetail":
        """The same, at `resource` where it names no location."""
        return self if self.locations else replace(self, locations=(resource,))


def parse_details(value: Json) -> tuple[ToolCallDetail, ...]:
    """The details of a JSON array.

    Raises:
        MalformedDetailsError: see the module.
    """
    if not isinstance(value, list) or not value:
        raise MalformedDetailsError("`authorization_details` is not a list of details")
    if len(value) > _MAX_DETAILS:
        raise MalformedDetailsError(f"there are more than {_MAX_DETAILS} authorization details")
    return tuple(_detail(one) for one in value)


def details_json(details: Iterable[ToolCallDetail]) -> tuple[JsonObject, ...]:
    """`details` as they stand in a grant and in a token."""
    return tuple(detail.as_json() for detail in details)


def is_within(asked: Sequence[ToolCallDetail], granted: Sequence[ToolCallDetail]) -> bool:
    """Whether each of `asked` allows nothing that some one of `granted` does not."""
    return all(any(_is_narrower(one, other) for other in granted) for one in asked)


def matches_pattern(text: str, pattern: str) -> bool:
    """Whether `text` is `pattern` with something, or nothing, in the place of each `*`."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first) or not text[len(first) :].endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return position <= end


def number_of(value: Scalar) -> Decimal | None:
    """The number that `value` is or spells; `None` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(value) if _NUMBER.fullmatch(value) else None


# -- narrower -------------------------------------------------------------------


def _is_narrower(one: ToolCallDetail, other: ToolCallDetail) -> bool:
    if not (set(one.locations) <= set(other.locations) and set(one.tools) <= set(other.tools)):
        return False
    if one.justification != other.justification:
        return False  # it is what the person was told
    if other.expires_at is not None and (
        one.expires_at is None or one.expires_at > other.expires_at
    ):
        return False
    return all(
        name in one.constraints and _is_tighter(one.constraints[name], bound)
        for name, bound in other.constraints.items()
    )


def _is_tighter(one: Constraint, other: Constraint) -> bool:
    """Whether whatever meets `one` meets `other`: every part of `other` must follow from `one`."""
    if other.currency is not None and one.currency != other.currency:
        return False
    if other.one_of is not None and not _values_within(one.one_of, other.one_of):
        return False
    if other.maximum is not None and not _stays(one, one.maximum, below=other.maximum):
        return False
    if other.minimum is not None and not _stays(one, one.minimum, above=other.minimum):
        return False
    return other.pattern is None or _fits(one, other.pattern)


def _values_within(values: tuple[Scalar, ...] | None, allowed: tuple[Scalar, ...]) -> bool:
    # By type as well: in Python `True == 1`.
    kinds = {(type(value), value) for value in allowed}
    return values is not None and all((type(value), value) in kinds for value in values)


def _stays(
    one: Constraint,
    bound: Decimal | None,
    *,
    below: Decimal | None = None,
    above: Decimal | None = None,
) -> bool:
    """Whether `one` keeps a number on this side, by its own bound or by its values."""

    def inside(number: Decimal | None) -> bool:
        return (
            number is not None
            and (below is None or number <= below)
            and (above is None or number >= above)
        )

    if inside(bound):
        return True
    return one.one_of is not None and all(inside(number_of(value)) for value in one.one_of)


def _fits(one: Constraint, pattern: str) -> bool:
    # A `*` of the narrower pattern is a character like others here, and only a `*` takes it in:
    # then that `*` takes in whatever the narrower one stands for.
    if one.pattern is not None and matches_pattern(one.pattern, pattern):
        return True
    return one.one_of is not None and all(
        isinstance(value, str) and matches_pattern(value, pattern) for value in one.one_of
    )


# -- parsing --------------------------------------------------------------------


def _detail(value: Json) -> ToolCallDetail:
    if not isinstance(value, dict):
        raise MalformedDetailsError("an authorization detail is not an object")
    if value.get("type") != TOOL_CALL:
        raise MalformedDetailsError(f"the only type of authorization details is `{TOOL_CALL}`")
    _refuse_unknown(value, _FIELDS, "an authorization detail")
    return ToolCallDetail(
        locations=_texts(value.get("locations", []), "locations"),
        tools=_names(value.get("tools")),
        constraints=MappingProxyType(_constraints(value.get("constraints", {}))),
        justification=_justification(value.get("justification", "")),
        expires_at=_expiry(value["expires_at"]) if "expires_at" in value else None,
    )


def _names(value: Json) -> tuple[str, ...]:
    names = _texts(value, "tools")
    if not names:
        raise MalformedDetailsError("an authorization detail names no tool")
    return names


def _texts(value: Json, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_NAMES:
        raise MalformedDetailsError(f"`{name}` is not a list of at most {_MAX_NAMES} names")
    return tuple(dict.fromkeys(_text(one, name) for one in value))


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or not value.isprintable():
        raise MalformedDetailsError(f"`{name}` has a value that is no short text")
    return value


def _justification(value: Json) -> str:
    told = value
    if isinstance(value, dict) or (isinstance(value, str) and value.lstrip().startswith("{")):
        told = justification_text(value)
    elif isinstance(value, str) and len(value) > LONGEST:
        told = None
    if not isinstance(told, str) or not told.isprintable():
        raise MalformedDetailsError(
            f"`justification` is neither one line of at most {LONGEST} characters nor an object of such lines"
        )
    return told


def _expiry(value: Json) -> EpochSeconds:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_TIME:
        raise MalformedDetailsError("`expires_at` is not a whole number of seconds since 1970")
    return EpochSeconds(value)


def _constraints(value: Json) -> dict[str, Constraint]:
    if not isinstance(value, dict) or len(value) > _MAX_NAMES:
        raise MalformedDetailsError(
            f"`constraints` is not an object of at most {_MAX_NAMES} arguments"
        )
    return {_text(name, "constraints"): _constraint(one) for name, one in value.items()}


def _constraint(value: Json) -> Constraint:
    if not isinstance(value, dict):
        raise MalformedDetailsError("a constraint is not an object")
    _refuse_unknown(value, _BOUNDS, "a constraint")
    if not value.keys() - {"currency"}:
        raise MalformedDetailsError("a constraint constrains nothing")
    if "equals" in value and "one_of" in value:
        raise MalformedDetailsError("a constraint has both `equals` and `one_of`")
    return Constraint(
        one_of=_values(value),
        maximum=_number(value["max"], "max") if "max" in value else None,
        minimum=_number(value["min"], "min") if "min" in value else None,
        pattern=_text(value["pattern"], "pattern") if "pattern" in value else None,
        currency=_currency(value["currency"]) if "currency" in value else None,
    )


def _values(value: JsonObject) -> tuple[Scalar, ...] | None:
    if "equals" in value:
        return (_scalar(value["equals"]),)
    if "one_of" not in value:
        return None
    values = value["one_of"]
    if not isinstance(values, list) or not 0 < len(values) <= _MAX_NAMES:
        raise MalformedDetailsError(f"`one_of` is not a list of 1 to {_MAX_NAMES} values")
    scalars = [_scalar(one) for one in values]
    return tuple({(type(one), one): one for one in scalars}.values())


def _scalar(value: Json) -> Scalar:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return str(_number(value, "equals"))
    return _text(value, "equals")


def _number(value: Json, name: str) -> Decimal:
    """A number, or its digits as text. A float counts as the shortest text that means it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise MalformedDetailsError(f"`{name}` is not a number")
    text = value if isinstance(value, str) else str(value)
    if _NUMBER.fullmatch(text) is None:
        raise MalformedDetailsError(f"`{name}` has more than 15 digits or 4 decimals")
    return Decimal(text)


def _currency(value: Json) -> str:
    if not isinstance(value, str) or _CURRENCY.fullmatch(value) is None:
        raise MalformedDetailsError("`currency` is not three capital letters")
    return value


def _refuse_unknown(value: JsonObject, known: frozenset[str], what: str) -> None:
    unknown = sorted(value.keys() - known)
    if unknown:
        name = unknown[0] if unknown[0].isidentifier() and unknown[0].isascii() else "?"
        raise MalformedDetailsError(f"{what} has the field `{name[:64]}`, which means nothing here")

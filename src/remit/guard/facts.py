"""The arguments that policies may read, each of the type the catalog gives it.

Refuses an argument that is missing, of another type, or not exact: a boolean is no
number, an amount has at most four decimals and is never rounded, a currency is
three capital letters. `null` counts as absent. What the catalog does not declare is
not looked at, and no policy can see it; so that nothing declared comes in unseen,
a name that is almost a declared one is refused.

Source: RFC 6901; ISO 4217; Cedar `decimal` (four places in 64 bits) and `Long`;
`look_alike`.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import ClassVar, Final, assert_never

from remit.canonical import Json
from remit.errors import Error
from remit.guard.look_alike import look_alike
from remit.model import Argument, ArgumentType
from remit.policy.evaluation import ArgumentValue, Money

__all__ = [
    "InvalidArgumentError",
    "refuse_look_alikes",
    "typed_argument",
    "typed_arguments",
    "value_at",
]

_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_POINTERS: Final = attrgetter("pointer", "currency_pointer")
_MAX_DECIMAL: Final = Decimal("922337203685477.5807")
_MIN_LONG: Final = -(2**63)
_MAX_LONG: Final = 2**63 - 1


class InvalidArgumentError(Error):
    """An argument that policies read is missing or of another type; `detail` names it, never its value."""

    code: ClassVar[str] = "invalid_arguments"


def typed_arguments(arguments: Json, declared: Sequence[Argument]) -> Mapping[str, ArgumentValue]:
    """The declared arguments of a call, by their names in the catalog; optional ones only if given.

    Raises:
        InvalidArgumentError: one is missing, is not of its type, or has a look-alike.
    """
    refuse_look_alikes(arguments, declared)
    typed: dict[str, ArgumentValue] = {}
    for argument in declared:
        value = value_at(arguments, argument.pointer)
        if value is not None:
            typed[argument.name] = typed_argument(argument, value, arguments)
        elif argument.required:
            raise InvalidArgumentError(f"the argument `{argument.name}` is missing")
    return typed


def value_at(document: Json, pointer: str) -> Json:
    """What stands at an RFC 6901 pointer; `None` when nothing does."""
    value = document
    for part in pointer.split("/")[1:]:
        token = _unescaped(part)
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~") if "~" in part else part


def refuse_look_alikes(arguments: Json, declared: Sequence[Argument]) -> None:
    """Refuse names that are almost those on the way to a declared argument.

    A server that folds case or trims names would take `User_ID` for the `user_id` that policy read.

    Raises:
        InvalidArgumentError: there is one.
    """
    for pointer, names in _declared_names(declared).items():
        holder = value_at(arguments, pointer) if pointer else arguments
        if not isinstance(holder, dict) or holder.keys() <= names:
            continue
        if (name := look_alike(holder.keys() - names, names)) is not None:
            raise InvalidArgumentError(f"another argument is named almost like `{name}`")


def _declared_names(declared: Sequence[Argument]) -> Mapping[str, frozenset[str]]:
    """The names that the catalog's pointers go through, by the pointer to what holds them."""
    return _names_on_the_way(tuple(map(_POINTERS, declared)))


@lru_cache(maxsize=4_096)
def _names_on_the_way(
    pointers: tuple[tuple[str, str | None], ...],
) -> Mapping[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for pointer, currency_pointer in pointers:
        _add_names(names, pointer)
        if currency_pointer is not None:
            _add_names(names, currency_pointer)
    return MappingProxyType({holder: frozenset(found) for holder, found in names.items()})


def _add_names(names: dict[str, set[str]], pointer: str) -> None:
    holder = ""
    for part in pointer.split("/")[1:]:
        names.setdefault(holder, set()).add(_unescaped(part))
        holder = f"{holder}/{part}"


def typed_argument(argument: Argument, value: Json, arguments: Json) -> ArgumentValue:
    """`value`, which stands where `arguments` has `argument`.

    Raises:
        InvalidArgumentError: it is not of its type.
    """
    match argument.type:
        case ArgumentType.STRING:
            if isinstance(value, str):
                return value
            raise _wrong(argument, "a string")
        case ArgumentType.INTEGER:
            if isinstance(value, int) and not isinstance(value, bool):
                return _long(argument, value)
            raise _wrong(argument, "an integer")
        case ArgumentType.BOOLEAN:
            if isinstance(value, bool):
                return value
            raise _wrong(argument, "a boolean")
        case ArgumentType.DECIMAL:
            return _decimal(argument, value)
        case ArgumentType.MONEY:
            return Money(_decimal(argument, value), _currency(argument, arguments))
        case ArgumentType.STRINGS:
            return _strings(argument, value)
        case _:
            assert_never(argument.type)


def _long(argument: Argument, value: int) -> int:
    if not _MIN_LONG <= value <= _MAX_LONG:
        raise _wrong(argument, "an integer of 64 bits")
    return value


def _decimal(argument: Argument, value: Json) -> Decimal:
    """A number, or its digits as text. A float counts as the shortest text that means it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong(argument, "a number")
    text = value if isinstance(value, str) else str(value)
    if _DECIMAL.fullmatch(text) is None:
        raise _wrong(argument, "a number of at most 15 digits and 4 decimals")
    exact = Decimal(text)
    if abs(exact) > _MAX_DECIMAL:
        raise _wrong(argument, f"a number up to {_MAX_DECIMAL}")
    return exact


def _currency(argument: Argument, arguments: Json) -> str:
    if argument.currency_pointer is None:
        currency: Json = argument.currency
    else:
        currency = value_at(arguments, argument.currency_pointer)
    if not isinstance(currency, str) or _CURRENCY.fullmatch(currency) is None:
        raise InvalidArgumentError(
            f"the currency of the argument `{argument.name}` is not three capital letters"
        )
    return currency


def _strings(argument: Argument, value: Json) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(argument, "a list of strings")
    strings = tuple(item for item in value if isinstance(item, str))
    if len(strings) != len(value):
        raise _wrong(argument, "a list of strings")
    return strings


def _wrong(argument: Argument, expected: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"the argument `{argument.name}` is not {expected}")

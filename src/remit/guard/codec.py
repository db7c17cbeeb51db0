"""The model as strict JSON, and back: every field by its type, and nothing that has none.

Written out of the types themselves, so that a field that is added to the model travels without
anybody thinking of it. A field at its default is left out; what is read and has no field is refused,
for it is a restriction that this version does not know. Refused too: another type, a tag nobody knows,
a mapping with a key twice.

Source: docs/adr/0017-guard-in-process.md.
"""

import dataclasses
import types
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from remit.canonical import Json, JsonObject
from remit.errors import Error

__all__ = ["UnreadableError", "from_json", "to_json"]

_TAG: Final = "$"
_PLAIN: Final = (bool, int, str, type(None))

T = TypeVar("T")


class UnreadableError(Error):
    """What was read is not of the type that was asked for; `detail` says where."""

    code: ClassVar[str] = "unreadable"


def to_json(value: object) -> Json:
    """`value` of the model as JSON.

    Raises:
        TypeError: something in it is of no kind that can be read back.
    """
    if isinstance(value, Enum):
        return cast("Json", value.value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _object(value)
    if isinstance(value, Mapping):
        # As pairs: a member of an object has to be text, a key need not be.
        pairs = sorted(value.items(), key=lambda pair: str(pair[0]))
        return [[to_json(key), to_json(one)] for key, one in pairs]
    if isinstance(value, frozenset):
        return sorted((to_json(one) for one in value), key=str)
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    raise TypeError(f"a {type(value).__name__} cannot be written")


def from_json(kind: type[T], value: Json) -> T:
    """What `to_json` wrote of a `kind`.

    Raises:
        UnreadableError: it is nothing of the sort.
    """
    return cast("T", _read(kind, value, kind.__name__))


def _object(value: object) -> JsonObject:
    found: JsonObject = {_TAG: type(value).__name__}
    for field in dataclasses.fields(cast("Any", value)):
        held = getattr(value, field.name)
        if not _is_default(field, held):
            found[field.name] = to_json(held)
    return found


def _is_default(field: "dataclasses.Field[Any]", held: object) -> bool:
    if field.default is not dataclasses.MISSING:
        return type(held) is type(field.default) and held == field.default
    if field.default_factory is not dataclasses.MISSING:
        return bool(held == field.default_factory())
    return False


def _read(kind: Any, value: Json, at: str) -> object:
    """`value` as a `kind`, which is a type or the annotation of one."""
    kind = getattr(kind, "__supertype__", kind)
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _one_of(get_args(kind), value, at)
    if origin is not None:
        return _gathered(origin, get_args(kind), value, at)
    if dataclasses.is_dataclass(kind):
        return _instance(cast("type[Any]", kind), value, at)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _word(kind, value, at)
    if kind in _PLAIN and type(value) is kind:
        return value
    if kind is Decimal:
        return _number(value, at)
    raise UnreadableError(f"`{at}` is not what it should be")


def _one_of(kinds: tuple[Any, ...], value: Json, at: str) -> object:
    """An alternative: nothing, or the class that the tag names, or what has no tag."""
    if value is None and type(None) in kinds:
        return None
    tag = value.get(_TAG) if isinstance(value, dict) else None
    for kind in kinds:
        tagged = dataclasses.is_dataclass(kind)
        if kind is type(None) or (tagged and cast("Any", kind).__name__ != tag):
            continue
        if tagged or tag is None:
            return _read(kind, value, at)
    raise UnreadableError(f"`{at}` is not what it should be")


def _gathered(origin: Any, kinds: tuple[Any, ...], value: Json, at: str) -> object:
    """Several: a tuple, a set, a mapping."""
    if not isinstance(value, list):
        raise UnreadableError(f"`{at}` is not a list")
    if origin is tuple and kinds[-1:] != (Ellipsis,):
        if len(value) != len(kinds):
            raise UnreadableError(f"`{at}` has another length")
        return tuple(_read(kind, one, at) for kind, one in zip(kinds, value, strict=True))
    if origin is tuple:
        return tuple(_read(kinds[0], one, at) for one in value)
    if origin is frozenset:
        return frozenset(_read(kinds[0], one, at) for one in value)
    if origin is Mapping:
        return _mapping(kinds, value, at)
    raise UnreadableError(f"`{at}` is of a kind that does not travel")


def _mapping(kinds: tuple[Any, ...], pairs: list[Json], at: str) -> Mapping[Any, Any]:
    found: dict[Any, Any] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise UnreadableError(f"`{at}` holds something besides pairs")
        key = _read(kinds[0], pair[0], at)
        if key in found:
            raise UnreadableError(f"`{at}` holds a key twice")
        found[key] = _read(kinds[1], pair[1], at)
    return MappingProxyType(found)


def _instance(kind: type[Any], value: Json, at: str) -> object:
    if not isinstance(value, dict) or value.get(_TAG) != kind.__name__:
        raise UnreadableError(f"`{at}` is not a `{kind.__name__}`")
    hints = _hints(kind)  # type: ignore[arg-type]  # every class can be hashed
    unknown = value.keys() - hints.keys() - {_TAG}
    if unknown:
        # It may forbid something. A guard that does not know it must not go on without it.
        raise UnreadableError(f"`{at}` has a field that this version does not know")
    given = {
        name: _read(hints[name], one, f"{at}.{name}") for name, one in value.items() if name != _TAG
    }
    try:
        return kind(**given)
    except TypeError as error:
        raise UnreadableError(f"`{at}` lacks a field", cause=error) from error


def _number(value: Json, at: str) -> Decimal:
    """A number with its decimals, which travels as text."""
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation as error:
        raise UnreadableError(f"`{at}` is no number", cause=error) from error
    if number is None or not number.is_finite():
        raise UnreadableError(f"`{at}` is no number")
    return number


def _word(kind: type[Enum], value: Json, at: str) -> object:
    try:
        return kind(value)
    except ValueError as error:
        raise UnreadableError(f"`{at}` is a word that this version does not know") from error


@cache
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    hints = get_type_hints(kind, localns={"Json": _Anything})
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


class _Anything:
    """Stands for free JSON, which the model has in clients' keys alone, and those do not travel."""

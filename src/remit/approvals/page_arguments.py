"""The arguments of a call on a page: each by itself, as it will be sent, and the whole as one text.

What the catalog knows to be money is written as money as well; what looks like whom it is for, or where it goes, is
named first. Neither replaces anything: the arguments stand below, all of them. Nothing is cut off.

Source: MISSION C1, C2; RFC 6901; ISO 4217.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.approvals.page_words import Piece, pieces
from remit.canonical import Json, JsonObject
from remit.guard.facts import InvalidArgumentError, typed_argument, value_at
from remit.model import Argument, ArgumentType
from remit.oauth.details_in_words import amount_in_words
from remit.policy.evaluation import Money

__all__ = ["Amount", "Line", "Shown", "lines_of", "shown_arguments"]

# Where it goes, or who gets it, in the words that tools use. Only what is emphasised hangs on it.
_RECIPIENTS: Final = re.compile(
    r"(?:.*_)?(?:recipients?|to|payee|beneficiary|iban|bic|account(?:_id|_number)?|customer(?:_id)?|"
    r"e?mail(?:_address)?|phone(?:_number)?|destination|receiver|merchant|supplier|vendor|wallet|channel|"
    r"target|repository|invoice(?:_id)?|patient(?:_id)?|user(?:_id|name)?)"
)
_MOST_RECIPIENTS: Final = 4
_SHORT: Final = 120
_LOOKS_TYPED: Final = re.compile(r"(?:true|false|null|[-+]?[0-9][0-9.eE+-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount in words; `name` is the argument that it is."""

    name: str
    value: Decimal
    currency: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value. `name` is the way to it, `label` the same as people write, `kind` is said where the value alone could be taken for another."""

    name: tuple[Piece, ...]
    label: tuple[Piece, ...]
    value: tuple[Piece, ...]
    kind: str = ""
    is_long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """All arguments of one call. `text` is the JSON that is sent, in plain ASCII."""

    amounts: tuple[Amount, ...]
    recipients: tuple[Line, ...]
    lines: tuple[Line, ...]
    text: str
    unreadable: tuple[str, ...] = ()
    """Arguments that ought to be money and cannot be read as such."""


def shown_arguments(arguments: JsonObject, declared: Sequence[Argument]) -> Shown:
    """`arguments`, of which the catalog declares some."""
    amounts: list[Amount] = []
    unreadable: list[str] = []
    for argument in declared:
        value = value_at(arguments, argument.pointer)
        if argument.type is not ArgumentType.MONEY or value is None:
            continue
        amount = _amount(argument, value, arguments)
        if amount is None:
            unreadable.append(argument.name)
        else:
            amounts.append(amount)
    return Shown(
        amounts=tuple(amounts),
        recipients=tuple(_recipients(arguments)),
        lines=lines_of(arguments),
        text=json.dumps(arguments, indent=2, sort_keys=True, ensure_ascii=True),
        unreadable=tuple(unreadable),
    )


def lines_of(arguments: JsonObject) -> tuple[Line, ...]:
    """Each value in `arguments` by itself, in the order of their names."""
    return tuple(line for name in sorted(arguments) for line in _lines(name, arguments[name]))


def _lines(name: str, value: Json) -> Iterator[Line]:
    match value:
        case dict() if value:
            for key in sorted(value):
                yield from _lines(f"{name} / {key}", value[key])
        case list() if value:
            for at, item in enumerate(value, start=1):
                yield from _lines(f"{name} {at}", item)
        case _:
            yield _line(name, value)


def _line(name: str, value: Json) -> Line:
    """A value that holds no other."""
    kind = ""
    match value:
        case str():
            text, kind = value, "text" if _LOOKS_TYPED.fullmatch(value.strip()) else ""
        case dict():
            text, kind = "", "no fields"
        case list():
            text, kind = "", "empty list"
        case None:
            text, kind = "", "nothing (null)"
        case _:
            text = json.dumps(value)
    if value == "":
        kind = "empty text"
    return Line(
        name=pieces(name),
        label=pieces(_label(name)),
        value=pieces(text, lines=True),
        kind=kind,
        is_long=len(text) > _SHORT or "\n" in text,
    )


def _recipients(arguments: JsonObject) -> Iterator[Line]:
    found = 0
    for name, value in sorted(arguments.items()):
        is_one = isinstance(value, str) and 0 < len(value) <= _SHORT
        if is_one and found < _MOST_RECIPIENTS and _RECIPIENTS.fullmatch(_folded(name)):
            found += 1
            yield _line(name, value)


def _label(name: str) -> str:
    words = name.replace("_", " ").strip() or name
    return f"{words[:1].upper()}{words[1:]}"


def _folded(name: str) -> str:
    """`customerId` and `Customer-ID` as `customer_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", name[:64]).lower()


def _amount(argument: Argument, value: Json, arguments: JsonObject) -> Amount | None:
    try:
        typed = typed_argument(argument, value, arguments)
    except InvalidArgumentError:
        return None
    if not isinstance(typed, Money):
        return None
    return Amount(
        name=argument.name,
        value=typed.value,
        currency=typed.currency,
        text=amount_in_words(typed.value, typed.currency),
    )

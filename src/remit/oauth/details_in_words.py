"""Authorization details as a person reads them: which tool, with which arguments, why, until when.

Decides nothing. Everything that narrows is said; amounts as they are written, with their currency.

Source: RFC 9396 §11.2 (the person must see what they agree to).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from remit.clock import EpochSeconds
from remit.model import Server
from remit.model.justification import as_json
from remit.tokens.authorization_details import Constraint, Scalar, ToolCallDetail, number_of

__all__ = ["DetailInWords", "amount_in_words", "details_in_words"]

_SYMBOLS: Final[Mapping[str, str]] = MappingProxyType(
    {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}
)
_WITHOUT_CENTS: Final = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailInWords:
    """One detail. `conditions` are sentences; none means with any arguments."""

    tools: tuple[str, ...]
    conditions: tuple[str, ...]
    justification: str
    until: str | None


def details_in_words(
    details: Sequence[ToolCallDetail], server: Server
) -> tuple[DetailInWords, ...]:
    """`details` for the consent page."""
    return tuple(
        DetailInWords(
            tools=tuple(_tool(name, server) for name in detail.tools),
            conditions=tuple(
                f"{_readable(name)} {part}"
                for name, constraint in detail.constraints.items()
                for part in _parts(constraint)
            ),
            justification=_why(detail.justification),
            until=None if detail.expires_at is None else _moment(detail.expires_at),
        )
        for detail in details
    )


def amount_in_words(value: Decimal, currency: str) -> str:
    """An amount: `$1,234.56`, `¥1,200`, `CHF 12.50`. It is never rounded."""
    least = 0 if currency in _WITHOUT_CENTS else 2
    exponent = value.as_tuple().exponent
    places = max(least, -exponent if isinstance(exponent, int) else 0)
    digits = f"{abs(value):,.{places}f}"
    sign = "-" if value < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{currency} {digits}"


def _why(justification: str) -> str:
    """What is told, each thing by its name; a line as it is."""
    said = as_json(justification)
    if not isinstance(said, dict):
        return justification
    return "; ".join(f"{name.replace('_', ' ')}: {one}" for name, one in said.items())


def _tool(name: str, server: Server) -> str:
    tool = server.tools.get(name)
    return f"{name}: {tool.description}" if tool is not None and tool.description else name


def _readable(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _parts(constraint: Constraint) -> list[str]:
    parts: list[str] = []
    if constraint.one_of is not None:
        values = [_value(one, constraint.currency) for one in constraint.one_of]
        parts.append(f"is {values[0]}" if len(values) == 1 else f"is one of {', '.join(values)}")
    if constraint.minimum is not None:
        parts.append(f"is at least {_number(constraint.minimum, constraint.currency)}")
    if constraint.maximum is not None:
        parts.append(f"is at most {_number(constraint.maximum, constraint.currency)}")
    if constraint.pattern is not None:
        parts.append(f"looks like “{constraint.pattern}” (* stands for anything)")
    return parts


def _value(value: Scalar, currency: str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = number_of(value)
    if currency is not None and number is not None:
        return amount_in_words(number, currency)
    return f"{value:,}" if isinstance(value, int) else f"“{value}”"


def _number(value: Decimal, currency: str | None) -> str:
    return f"{value:,f}" if currency is None else amount_in_words(value, currency)


def _moment(at: EpochSeconds) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%d %B %Y, %H:%M UTC")

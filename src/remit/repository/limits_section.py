"""`limits` of agents, servers and everybody: how much may be asked, and how large a message may be.

Refused: a limit of nought, which would be another way to stop an agent than to suspend it; a number in
quotes; a size whose unit is not said the one way there is.

Source: IEC 80000-13 (KiB, MiB).
"""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from remit.documents import mistake, quoted
from remit.model import NO_LIMITS, CallLimits
from remit.repository.section import Section

__all__ = ["UNREGISTERED_LIMITS", "LimitsSection", "OptionalSize", "limits_of"]

_UNITS: Final = {"KiB": 1024, "MiB": 1024 * 1024}
_SIZE: Final = re.compile(r"([1-9][0-9]{0,6})(KiB|MiB)")
_SMALLEST: Final = 1024
_LARGEST: Final = 64 * 1024 * 1024
_MOST_CALLS: Final = 1_000_000
_MOST_PLACES: Final = 10_000
_EXPECTED: Final = "such as `256KiB` or `4MiB`, or a number of bytes"


def _parse_size(given: object) -> int:
    if isinstance(given, str) and (found := _SIZE.fullmatch(given)):
        size = int(found[1]) * _UNITS[found[2]]
    elif isinstance(given, int) and not isinstance(given, bool):
        size = given
    else:
        raise mistake(f"{quoted(given)} is no size", expected=_EXPECTED)
    if not _SMALLEST <= size <= _LARGEST:
        raise mistake("the size is out of bounds", expected="between `1KiB` and `64MiB`")
    return size


OptionalSize = Annotated[
    int | None,
    BeforeValidator(_parse_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[1-9][0-9]{0,6}(KiB|MiB)$"},
                {"type": "integer", "minimum": _SMALLEST, "maximum": _LARGEST},
            ],
            "examples": ["4MiB"],
        }
    ),
]
"""A number of bytes, or `256KiB`, `4MiB`. Its value is bytes."""


def _count(most: int) -> Callable[[object], int]:
    def parse(given: object) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
            raise mistake(
                f"{quoted(given)} is no limit", expected=f"a whole number from 1 to {most:,}"
            )
        return given

    return parse


def _schema(most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": 1, "maximum": most})


_Rate = Annotated[int | None, BeforeValidator(_count(_MOST_CALLS)), _schema(_MOST_CALLS)]
_Places = Annotated[int | None, BeforeValidator(_count(_MOST_PLACES)), _schema(_MOST_PLACES)]


class LimitsSection(Section):
    """How much may be asked. What is left out is not limited here."""

    calls_per_minute: _Rate = Field(
        default=None,
        description="So many on average, and a minute's worth at once. Refused calls and lists count, too.",
    )
    concurrent_calls: _Places = Field(default=None, description="So many under way at one time.")


UNREGISTERED_LIMITS: Final = LimitsSection.model_validate(
    {"calls_per_minute": 60, "concurrent_calls": 5}
)


def limits_of(section: LimitsSection) -> CallLimits:
    """What `section` declares."""
    if section.calls_per_minute is None and section.concurrent_calls is None:
        return NO_LIMITS
    return CallLimits(
        calls_per_minute=section.calls_per_minute, concurrent_calls=section.concurrent_calls
    )

"""Lengths of time that have to lie between two others."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from remit.clock import Seconds
from remit.documents import Duration, mistake, parse_duration

__all__ = ["DAY", "HOUR", "MINUTE", "DurationOrNever", "OptionalDuration", "within"]

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_NEVER = "0s"


def within(low: int, high: int, words: str) -> AfterValidator:
    """Refuse a length below `low` or above `high` seconds; `words` say what was expected.

    What was left out and what is never are no lengths, and pass.
    """

    def check(value: Seconds | None) -> Seconds | None:
        if value and not low <= value <= high:
            raise mistake("the length of time is out of bounds", expected=words)
        return value

    return AfterValidator(check)


def _duration_or_never(given: object) -> Seconds:
    return Seconds(0) if given == _NEVER else parse_duration(given)


_LENGTH = "[1-9][0-9]{0,8}[smhd]"

DurationOrNever = Annotated[
    Seconds,
    BeforeValidator(_duration_or_never),
    WithJsonSchema({"type": "string", "pattern": f"^({_NEVER}|{_LENGTH})$", "examples": ["90d"]}),
]
"""A length of time, or `0s`: never. Its value is `Seconds`."""
OptionalDuration = Annotated[
    Duration | None,
    WithJsonSchema({"type": "string", "pattern": f"^{_LENGTH}$", "examples": ["10m"]}),
]
"""A length of time that may be left out."""

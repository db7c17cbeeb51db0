"""Lengths of time as people write them: a number and one unit, such as `10m`."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from remit.clock import Seconds
from remit.documents.mistake import mistake
from remit.documents.problem import quoted

__all__ = ["Duration", "duration_field", "parse_duration"]

_PATTERN = r"[1-9][0-9]{0,8}[smhd]"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: object) -> Seconds:
    """The seconds that `text` names. A number without a unit is refused: it has been misread before.

    Raises:
        PydanticCustomError: not a duration.
    """
    if not isinstance(text, str) or not re.fullmatch(_PATTERN, text):
        raise mistake(
            f"{quoted(text)} is not a length of time",
            expected="a whole number and a unit: `45s`, `10m`, `12h` or `30d`",
        )
    return Seconds(int(text[:-1]) * _UNITS[text[-1]])


Duration = Annotated[
    Seconds,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_PATTERN}$", "examples": ["10m", "12h", "30d"]}
    ),
]
"""The type of a field written as `10m`; its value is `Seconds`. """


def duration_field(default: str, description: str) -> Any:
    """A model's field of type `Duration` whose default is written as people write it."""
    return Field(
        default=parse_duration(default),
        description=description,
        json_schema_extra={"default": default},
    )

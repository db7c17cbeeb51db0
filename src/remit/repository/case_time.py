"""When a case happens: an instant, or a time by the clock on somebody's wall.

`mon 10:00` is a Monday of no particular year: of a week without a change of clocks, the first whole one of 2026.
Refused: a time that a change of clocks leaves out, a zone that nobody knows, an instant beyond the years 1970 to 2999.

Source: RFC 3339 §5.6; IANA time zone database.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, WithJsonSchema

from remit.clock import EpochSeconds
from remit.documents import mistake, quoted

__all__ = ["NOON", "CaseTime", "WallTime", "parse_time"]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONDAY: Final = datetime(2026, 1, 5)  # noqa: DTZ001  a clock on a wall
_WEEKLY: Final = re.compile(
    r"(?P<day>mon|tue|wed|thu|fri|sat|sun) (?P<hour>\d\d):(?P<minute>\d\d)(?: (?P<zone>\S+))?"
)
_LOCAL: Final = re.compile(
    r"(?P<local>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(?: (?P<zone>[A-Za-z]\S+))?"
)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)")
_EXPECTED: Final = (
    "such as `mon 10:00`, `2026-03-02 10:00 America/New_York` or `2026-03-02T15:00:00Z`"
)


@dataclass(frozen=True, slots=True)
class WallTime:
    """`local` is what the clock shows if `zone` is given or left to the person's organisation, else it is in UTC."""

    local: datetime
    zone: str | None
    is_instant: bool = False

    def instant(self, zone: str) -> EpochSeconds:
        """The moment it is; `zone` is that of the person's organisation."""
        place = UTC if self.is_instant else ZoneInfo(self.zone or zone)
        return EpochSeconds(int(self.local.replace(tzinfo=place).timestamp()))


NOON: Final = WallTime(_MONDAY + timedelta(days=2, hours=12), None)
"""When nothing is said: on a Wednesday at noon."""


def parse_time(given: object) -> WallTime:
    """What `given` means.

    Raises:
        PydanticCustomError: it is no time, or one that never was.
    """
    if isinstance(given, WallTime):
        return given
    try:
        found = _read(given) if isinstance(given, str) else None
    except (ValueError, OverflowError):
        found = None
    if found is None or not 1970 <= found.local.year <= 2999:
        raise mistake(f"{quoted(given)} is no time", expected=_EXPECTED)
    if found.zone is not None and not _exists(found):
        raise mistake(f"{quoted(given)} never was: the clocks were changed", expected=_EXPECTED)
    return found


def _read(text: str) -> WallTime | None:
    if weekly := _WEEKLY.fullmatch(text):
        hour, minute = int(weekly["hour"]), int(weekly["minute"])
        day = _MONDAY + timedelta(days=_DAYS.index(weekly["day"]))
        return WallTime(day.replace(hour=hour, minute=minute), _zone(weekly["zone"]))
    if _INSTANT.fullmatch(text):
        instant = datetime.fromisoformat(text).astimezone(UTC)
        return WallTime(instant.replace(tzinfo=None), None, is_instant=True)
    if local := _LOCAL.fullmatch(text):
        return WallTime(datetime.fromisoformat(local["local"]), _zone(local["zone"]))
    return None


def _zone(name: str | None) -> str | None:
    if name is not None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError("no such zone") from error
    return name


def _exists(time: WallTime) -> bool:
    """Whether the clock in that zone ever showed this: it comes back as it went."""
    zone = ZoneInfo(time.zone or "UTC")
    there = time.local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there.replace(tzinfo=None) == time.local


CaseTime = Annotated[
    WallTime,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "examples": ["mon 10:00", "2026-03-02T15:00:00Z"]}),
]
"""A time as people write it."""

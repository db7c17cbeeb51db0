"""Instants as a report shows them: as the log has them, or as people in the United States write them, with ISO beside it.

The zone is always named, and by the name that holds at that instant, so that the hour that a clock goes through twice in
autumn is told apart: `11/01/2026 01:30:00.000 AM EDT` and `EST`.

Source: RFC 3339; AUDIT §1.10 (12).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from remit.errors import Error

__all__ = ["Dates", "Style", "UnknownZoneError"]


class UnknownZoneError(Error):
    """No time zone is called so."""

    code: ClassVar[str] = "unknown_zone"


class Style(StrEnum):
    """How instants are written."""

    ISO = "iso"
    US = "us"


@dataclass(frozen=True, slots=True)
class Dates:
    """`zone` is an IANA name, such as `America/New_York`."""

    style: Style = Style.ISO
    zone: str = "UTC"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UnknownZoneError("no time zone is called so", cause=error) from error

    def shown(self, observed: str) -> str:
        """An instant of the log in this style; what is no instant, as it is."""
        if self.style is Style.ISO and self.zone == "UTC":
            return observed
        try:
            instant = datetime.fromisoformat(observed).astimezone(ZoneInfo(self.zone))
        except (ValueError, OverflowError):
            return observed
        if self.style is Style.ISO:
            return instant.isoformat(timespec="milliseconds")
        return f"{instant:%m/%d/%Y %I:%M:%S}.{instant.microsecond // 1000:03d} {instant:%p} {_name(instant)}"

    @property
    def is_plain(self) -> bool:
        """Whether what is shown is what the log has."""
        return self.style is Style.ISO and self.zone == "UTC"


def _name(instant: datetime) -> str:
    """What the zone is called at that instant; its distance from UTC where it has no name."""
    name = instant.tzname() or ""
    return name if name.isalpha() else f"UTC{instant:%z}"

"""How long an answer holds, by what its HTTP headers say. Source: RFC 9111 §4.2, §5.2."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from remit.clock import Seconds

__all__ = ["fresh_for", "whole_number"]


def fresh_for(headers: Mapping[str, str]) -> Seconds | None:
    """How long the host says its document holds, its age taken off; `None` when it says nothing."""
    directives = _directives(headers.get("cache-control", ""))
    if "no-store" in directives or "no-cache" in directives:
        return Seconds(0)
    if "max-age" in directives:
        lifetime = whole_number(directives["max-age"])
        age = whole_number(headers.get("age", "0"))
        return Seconds(0 if lifetime is None or age is None else max(0, lifetime - age))
    if "expires" not in headers:
        return None
    try:
        expires = parsedate_to_datetime(headers["expires"])
        date = parsedate_to_datetime(headers.get("date", ""))
        return Seconds(max(0, int((expires - date).total_seconds())))
    except (ValueError, TypeError, OverflowError):
        return Seconds(0)


def whole_number(text: str) -> int | None:
    """A non-negative number in ASCII digits, cut at nine of them."""
    return int(text[:9]) if text.isascii() and text.isdigit() else None


def _directives(cache_control: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in cache_control.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}

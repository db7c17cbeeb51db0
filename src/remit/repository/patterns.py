"""Patterns that a line of text has to match, and cannot make anybody wait for the answer.

Whoever calls chooses the text, and Python's engine may try every way to divide it. So the ways are counted here, and
what has too many is refused, as is what cannot be counted so simply: groups that are repeated, that come again, or that
look elsewhere.

Source: OWASP, Regular expression Denial of Service.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema

from remit.documents import mistake, quoted

__all__ = ["LinePattern"]

_LONGEST: Final = 200
_MOST_WAYS: Final = 1_000_000
_UNBOUNDED: Final = 500
_PART: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d*)(,?)(\d*)\}|.", re.DOTALL)


def _check_pattern(text: str) -> str:
    if fault := _fault(text):
        raise mistake(f"{quoted(text)} is no pattern: {fault}", expected="such as `[A-Z]+-[0-9]+`")
    return text


def _fault(text: str) -> str:
    """What is wrong with `text`; nothing where nothing is."""
    if not text or len(text) > _LONGEST or not text.isprintable():
        return f"it has no characters, or more than {_LONGEST}"
    try:
        re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError):
        return "it cannot be read"
    ways, before = 1, ""
    for found in _PART.finditer(text):
        part = found[0]
        if before == "(" and part == "?":
            if text[found.end()] != ":":
                return "a group looks elsewhere"
        elif _repeats(part):
            if before == ")" and part != "?":
                return "a group is repeated"
            ways *= _ways(found)
        elif part == "|":
            ways *= 2
        elif part[0] == "\\" and part[1] in "123456789":
            return "a group comes again"
        before = part
    return "there are too many ways to match it" if ways > _MOST_WAYS else ""


def _repeats(part: str) -> bool:
    return part in {"*", "+", "?"} or (len(part) > 1 and part[0] == "{")


def _ways(found: re.Match[str]) -> int:
    """In how many ways what stands before may be repeated."""
    if found[0] == "?":
        return 2
    if found[1] is None:
        return _UNBOUNDED
    if not found[2]:
        return 1
    least, most = int(found[1] or 0), int(found[3] or _UNBOUNDED)
    return max(1, min(most, _UNBOUNDED) - least + 1)


LinePattern = Annotated[
    str,
    AfterValidator(_check_pattern),
    WithJsonSchema({"type": "string", "maxLength": _LONGEST, "examples": ["[A-Z]+-[0-9]+"]}),
]
"""What a line has to match from its beginning to its end; letters, digits and spaces are those of ASCII."""

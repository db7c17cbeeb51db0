"""Why a call is made: what may stand where somebody says so, and what was told by its name.

It is one line of text, or an object of such lines by what they tell: `{"reason": "…", "ticket": "CHG-17"}`. A line is
the same as an object with its `reason`. A client that can only say a text may say the object as its JSON. What is kept
is one text: the line, or the object as canonical JSON.

Refused: what is neither; a line with neither a letter nor a digit, of more than `LONGEST` characters, or that does not
print as one; a name that policies cannot say; more than `MOST_FIELDS`; more than `LONGEST_WHOLE` in all.

Source: MISSION B7; docs/guides/approvals.md.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.canonical import Json, JsonObject, MalformedJsonError, canonical_text, parse_json
from remit.model.approvals import JustificationField

__all__ = [
    "LONGEST",
    "LONGEST_WHOLE",
    "MOST_FIELDS",
    "REASON",
    "as_json",
    "fitting",
    "justification_text",
    "says_something",
    "told_in",
]

REASON: Final = "reason"
"""What a line tells that does not say what it tells."""
LONGEST: Final = 500
LONGEST_WHOLE: Final = 2_000
MOST_FIELDS: Final = 10
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0")
# Letters by their category, and blank on every screen: the fillers of Hangul (Unicode, Default_Ignorable_Code_Point).


def justification_text(value: Json) -> str | None:
    """The one text that is kept of `value`; `None` where it is no justification."""
    if isinstance(value, str):
        told = _object_in(value)
        return _line(value) if told is None else _fields(told)
    return _fields(value) if isinstance(value, dict) else None


def told_in(text: str | None) -> Mapping[str, str]:
    """What was told, by its name; nothing where nothing was."""
    if text is None:
        return MappingProxyType({})
    told = _object_in(text)
    if told is None:
        return MappingProxyType({REASON: text})
    return MappingProxyType({name: one for name, one in told.items() if isinstance(one, str)})


def as_json(text: str) -> Json:
    """The line, or the object, that `text` is."""
    told = _object_in(text)
    return text if told is None else told


def fitting(told: Mapping[str, str], fields: Mapping[str, JustificationField]) -> Mapping[str, str]:
    """What of `told` is as it is declared in `fields`. What is not counts as not told, and what is not declared as it is."""
    return MappingProxyType(
        {name: one for name, one in told.items() if _fits(one, fields.get(name))}
    )


def says_something(text: str) -> bool:
    """Whether `text` has a letter or a digit that can be seen."""
    return any(one.isalnum() and one not in _UNSEEN for one in text)


def _fits(text: str, declared: JustificationField | None) -> bool:
    if declared is None:
        return True
    # Letters and digits are those of ASCII: a look-alike in the number of a ticket names another one.
    pattern = declared.pattern
    fits = pattern is None or re.fullmatch(pattern, text, re.ASCII) is not None
    return len(text) <= declared.longest and fits


def _line(value: str) -> str | None:
    text = value.strip()
    if not 0 < len(text) <= LONGEST or not text.isprintable() or not says_something(text):
        return None
    # INVARIANT: what begins as the text of an object is one.
    return None if text.startswith('{"') else text


def _fields(value: JsonObject) -> str | None:
    if not 0 < len(value) <= MOST_FIELDS:
        return None
    told: JsonObject = {}
    for name, one in value.items():
        line = _line(one) if isinstance(one, str) else None
        if line is None or _NAME.fullmatch(name) is None:
            return None
        told[name] = line
    text = canonical_text(told)
    return text if len(text) <= LONGEST_WHOLE else None


def _object_in(text: str) -> JsonObject | None:
    """The JSON object that `text` is; `None` where it is a line."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = parse_json(text.encode())
    except (MalformedJsonError, UnicodeEncodeError):
        return None
    return value if isinstance(value, dict) else None

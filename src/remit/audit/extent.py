"""How much of a document is looked at: enough for what a record shows of it, whatever a caller sends.

Source: AUDIT §1.6 (redaction happens on the request path).
"""

from itertools import islice
from typing import Final

from remit.canonical import Json

__all__ = ["MOST_FOLLOWED", "MOST_SHOWN", "beginning", "is_followed_whole", "values_in"]

MOST_SHOWN: Final = 512
"""Values, in the order in which a record shows them. Beyond as many nothing is shown, whatever of them was left out."""
_DEEPEST_SHOWN: Final = 10
MOST_FOLLOWED: Final = 2_048
_DEEPEST_FOLLOWED: Final = 24


def beginning(document: Json) -> Json:
    """The first values of `document`, for what is the same whatever comes after them."""
    left = MOST_SHOWN

    def copied(value: Json, depth: int) -> Json:
        nonlocal left
        left -= 1
        if depth > _DEEPEST_SHOWN or not isinstance(value, dict | list):
            return None if isinstance(value, dict | list) else value
        if isinstance(value, dict):
            members: dict[str, Json] = {}
            for name, one in value.items():
                if left <= 0:
                    break
                members[name] = copied(one, depth + 1)
            return members
        elements: list[Json] = []
        for one in value:
            if left <= 0:
                break
            elements.append(copied(one, depth + 1))
        return elements

    return copied(document, 0)


def is_followed_whole(document: Json) -> bool:
    """Whether `document` is so small that what depends on all of it can be worked out."""
    left, waiting = MOST_FOLLOWED, [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST_FOLLOWED:
            return False
        if isinstance(value, dict | list):
            if len(value) > left:
                return False
            members = value.values() if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in members]
    return True


def values_in(value: Json) -> int:
    """How many values `value` is, itself and what is in it; `MOST_SHOWN` stands for all that are more."""
    count, waiting = 0, [value]
    while waiting and count < MOST_SHOWN:
        count += 1
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += islice(one.values() if isinstance(one, dict) else one, MOST_SHOWN)
    return count

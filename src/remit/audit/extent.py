"""How much of a document is looked at: enough for what a record shows of it, whatever a caller sends.

Source: AUDIT §1.6 (redaction happens on the request path).
"""

from typing import Final

from remit.canonical import Json

__all__ = ["MOST_FOLLOWED", "beginning", "is_followed_whole"]

_MOST_SHOWN: Final = 512
"""Values, in the order in which a record shows them; it shows fewer, so that the end of what is cut is never shown."""
_DEEPEST_SHOWN: Final = 10
MOST_FOLLOWED: Final = 2_048
_DEEPEST_FOLLOWED: Final = 24


def beginning(document: Json) -> Json:
    """The first values of `document`, for what is the same whatever comes after them."""
    left = _MOST_SHOWN

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

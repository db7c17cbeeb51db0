"""Long lists, a page at a time, in an order that stays.

A cursor is the place of the last item that was shown, not a number of items: what is added or
removed meanwhile neither repeats an item nor skips one. It opens nothing, so it is not signed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from remit.api.operation import Number, Shape, Text
from remit.api.problems import BadRequestError
from remit.canonical import MalformedJsonError, canonical_bytes, parse_json

__all__ = ["MOST", "Page", "Paged", "cursor_of", "page_of", "place_of"]

MOST = 1_000

T = TypeVar("T")
Place = tuple[int | str, ...]


class Paged(Shape):
    """Which page: at most `limit` items after `cursor`, which an earlier answer gave as `next`."""

    limit: Annotated[Number, Field(ge=1, le=MOST)] = 200
    cursor: Text | None = None


class Page(Shape):
    """`next` is the cursor of the page after this one; `null` on the last."""

    next: str | None


def page_of(
    items: Iterable[T], paged: Paged, *, place: Callable[[T], Place]
) -> tuple[Sequence[T], str | None]:
    """The page of `items` that is asked for, and the cursor of the one after it.

    `place` gives each item its own place; items are shown in that order.

    Raises:
        BadRequestError: the cursor is none of ours.
    """
    ordered = sorted(items, key=place)
    if paged.cursor is not None:
        after = place_of(paged.cursor, like=place(ordered[0]) if ordered else None)
        ordered = [one for one in ordered if place(one) > after]
    shown = ordered[: paged.limit]
    more = len(ordered) > len(shown)
    return shown, cursor_of(place(shown[-1])) if more else None


def cursor_of(place: Place) -> str:
    """The cursor that says `place`."""
    return urlsafe_b64encode(canonical_bytes(list(place))).decode().rstrip("=")


def place_of(cursor: str, *, like: Place | None) -> Place:
    """The place that `cursor` says; of the types of `like`.

    Raises:
        BadRequestError: it says none.
    """
    try:
        value = parse_json(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, Base64Error, MalformedJsonError) as error:
        raise BadRequestError("the `cursor` is none that was given") from error
    if not isinstance(value, list) or not all(isinstance(one, int | str) for one in value):
        raise BadRequestError("the `cursor` is none that was given")
    found = tuple(one for one in value if isinstance(one, int | str))
    if like is not None and [type(one) for one in found] != [type(one) for one in like]:
        raise BadRequestError("the `cursor` is none that was given")
    return found

"""The parameters of a query or a form, read strictly.

A parameter without a value counts as absent, and none may be repeated unless it is
asked for by `all` (RFC 6749 §3.1, §3.2). Refused: what is not UTF-8, a malformed percent
escape, a NUL, and more or longer text than any honest request has.

Source: RFC 6749 §3.1, §3.2, Appendix B; WHATWG URL §5.1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from remit.errors import Error

__all__ = [
    "MAX_PARAMETERS",
    "MAX_QUERY",
    "MalformedParametersError",
    "Params",
    "RepeatedParameterError",
    "parse_form",
    "parse_query",
]

MAX_QUERY = 16_384
MAX_FORM = 65_536
MAX_PARAMETERS = 100

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class MalformedParametersError(Error):
    """The query or form cannot be read in one way only."""

    code: ClassVar[str] = "invalid_request"


class RepeatedParameterError(MalformedParametersError):
    """A parameter was given more than once; `name` is which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the parameter `{_shown(name)}` is repeated")
        self.name = name


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters in the order they came, empty ones left out."""

    pairs: tuple[tuple[str, str], ...] = ()

    def one(self, name: str) -> str | None:
        """The value of `name`, or `None` where it is absent or empty.

        Raises:
            RepeatedParameterError: `name` was given more than once.
        """
        values = self.all(name)
        if len(values) > 1:
            raise RepeatedParameterError(name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of `name`, in order: for parameters that may repeat, such as `resource`."""
        return tuple(value for found, value in self.pairs if found == name)

    def names(self) -> frozenset[str]:
        """The names that have a value."""
        return frozenset(name for name, _ in self.pairs)

    def repeated(self) -> tuple[str, ...]:
        """The names that were given more than once, in order of their first appearance."""
        names = [name for name, _ in self.pairs]
        return tuple(dict.fromkeys(name for name in names if names.count(name) > 1))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)


def parse_query(raw: bytes) -> Params:
    """Read the query of a request, without its `?`.

    Raises:
        MalformedParametersError: see the module.
    """
    return _parse(raw, limit=MAX_QUERY, what="query")


def parse_form(raw: bytes) -> Params:
    """Read an `application/x-www-form-urlencoded` body.

    Raises:
        MalformedParametersError: see the module.
    """
    return _parse(raw, limit=MAX_FORM, what="form")


def _parse(raw: bytes, *, limit: int, what: str) -> Params:
    if len(raw) > limit:
        raise MalformedParametersError(f"the {what} is longer than {limit} bytes")
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > MAX_PARAMETERS:
        raise MalformedParametersError(f"the {what} has more than {MAX_PARAMETERS} parameters")
    pairs = []
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        if value:  # RFC 6749 §3.1: without a value it is as if it had been omitted
            pairs.append((_decoded(name, what), _decoded(value, what)))
    return Params(tuple(pairs))


def _decoded(raw: bytes, what: str) -> str:
    if _BAD_ESCAPE.search(raw):
        raise MalformedParametersError(f"the {what} has a malformed percent escape")
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise MalformedParametersError(f"the {what} is not utf-8") from error
    if "\0" in text:
        raise MalformedParametersError(f"the {what} holds a nul")
    return text


def _shown(name: str) -> str:
    return "".join(one if " " < one <= "~" and one != "`" else "?" for one in name)[:64]

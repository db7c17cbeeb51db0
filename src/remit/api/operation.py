"""One operation of the management API: what it takes, what it answers, what may be wrong.

What it is called, where it stands and which scopes it needs is said once, in
`remit.model.management`; routes, checks of scope, the OpenAPI description and the calls of
the command line all come from there and from here. Refused: a body or a query with
a member that nobody knows, or of another type; nothing is coerced.

Source: RFC 9457; OpenAPI 3.1.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.model import MANAGEMENT_OPERATIONS, ManagementOperation

__all__ = [
    "AnyOperation",
    "Asked",
    "Flag",
    "Nothing",
    "Number",
    "Operation",
    "Reason",
    "Shape",
    "Text",
    "Why",
]


class Shape(BaseModel):
    """What is asked or answered: exactly these members."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Shape):
    """No member at all."""


def _printable(text: str) -> str:
    # A NUL is no text to PostgreSQL, and a line break in a reason would be one in a log.
    if not text.isprintable():
        raise ValueError("no control characters")
    return text


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise ValueError("`true` or `false`")
        return value == "true"
    return value


def _number(value: object) -> object:
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise ValueError("a number in decimal digits")
        return int(value)
    return value


Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_printable)]
Reason: TypeAlias = Annotated[str, Field(max_length=2_000), AfterValidator(_printable)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
"""In a query `true` or `false` and no other word for them."""
Number: TypeAlias = Annotated[int, BeforeValidator(_number)]


class Why(Shape):
    """A change, and why; the log keeps it."""

    reason: Reason = ""


Q = TypeVar("Q", bound=Shape)
B = TypeVar("B", bound=Shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[Q, B]):
    """One request, read: by whom, about what."""

    by: Administrator
    at: EpochSeconds
    path: Mapping[str, str]
    query: Q
    body: B

    @property
    def context(self) -> Context:
        """What its events say of the circumstances."""
        return self.by.context


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Q, B]):
    """How one entry of the table is answered. `lines`: one JSON object of `answer` a line, perhaps for ever."""

    name: str
    run: Callable[[ApiDeps, Asked[Q, B]], Awaitable[Shape | Response]]
    answer: type[Shape]
    query: type[Q]
    body: type[B]
    lines: bool = False
    media: str = ""
    """What is answered, where it is no JSON."""
    max_body: int = 65_536
    """Bytes that the body may have, where the settings do not say less."""

    @property
    def entry(self) -> ManagementOperation:
        """The row of the table."""
        return MANAGEMENT_OPERATIONS[self.name]


AnyOperation: TypeAlias = Operation[Any, Any]

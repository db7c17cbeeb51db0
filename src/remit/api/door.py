"""How the management API is spoken: who asks, JSON in, JSON out, errors rendered once.

Whoever can open the socket is an administrator; the log names the user id that the
kernel gives for the other end. Refused: bodies that are not one strict JSON object,
members that nobody knows, members of another type.

Source: RFC 9457.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.audit.context import Actor, ActorType, Context
from remit.canonical import Json, JsonObject
from remit.documents import DocumentInvalidError
from remit.errors import ConflictError, Error, NotFoundError, UnavailableError
from remit.web import (
    BodyTooLargeError,
    Params,
    UnsupportedMediaTypeError,
    json_response,
    parse_query,
    problem,
    read_json_object,
)

__all__ = ["BadRequestError", "Body", "administrator", "read_query", "route", "switch"]

_log = structlog.stdlib.get_logger("remit.api")

T = TypeVar("T")

Endpoint = Callable[[Request], Awaitable[JsonObject | Response]]


class BadRequestError(Error):
    """The request does not say what it should; `detail` names the member."""

    code: ClassVar[str] = "bad_request"


_STATUS: Mapping[type[Error], int] = MappingProxyType(
    {
        NotFoundError: 404,
        ConflictError: 409,
        UnavailableError: 503,
        BodyTooLargeError: 413,
        UnsupportedMediaTypeError: 415,
        DocumentInvalidError: 422,
    }
)


def route(method: str, path: str, endpoint: Endpoint) -> Route:
    """A route whose endpoint returns an object, or raises an error that becomes a problem."""

    async def answer(request: Request) -> Response:
        try:
            answer = await endpoint(request)
        except Error as error:
            return _problem(error)
        return answer if isinstance(answer, Response) else json_response(answer)

    return Route(path, answer, methods=[method])


def administrator(request: Request) -> Context:
    """Who asks, as events say it: the operating system's user at the other end of the socket."""
    uid = request.scope.get("state", {}).get("peer_uid")
    actor = Actor(ActorType.ADMIN, None if uid is None else f"uid:{uid}")
    return Context(actor=actor)


class Body:
    """The JSON object of a request; each member is taken once, and `finish` refuses what is left."""

    def __init__(self, members: JsonObject) -> None:
        self._left = dict(members)

    @classmethod
    async def read(cls, request: Request) -> "Body":
        """The body of `request`.

        Raises:
            BadRequestError: it is not one JSON object.
        """
        return cls(await read_json_object(request))

    def text(self, name: str, *, default: str | None = None, limit: int = 2_000) -> str:
        """A member that is text. Without a default it must be there, and not be empty."""
        value = self._left.pop(name, default)
        if not isinstance(value, str) or len(value) > limit or (default is None and not value):
            raise BadRequestError(f"`{name}` must be text of at most {limit} characters")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A member that is a list of texts; none when it is not there."""
        value = self._left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadRequestError(f"`{name}` must be a list of texts")
        return tuple(str(one) for one in value)

    def pairs(self, name: str) -> dict[str, str]:
        """A member that is an object of texts; empty when it is not there."""
        value = self._left.pop(name, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise BadRequestError(f"`{name}` must be an object of texts")
        return {key: str(one) for key, one in value.items()}

    def finish(self) -> None:
        """Refuse members that nobody took: they say something that would not be done.

        Raises:
            BadRequestError: there are some.
        """
        if self._left:
            names = ", ".join(f"`{_shown(name)}`" for name in sorted(self._left))
            raise BadRequestError(f"nobody knows {names}")


def read_query(request: Request, *known: str) -> Params:
    """The query parameters; each at most once, none but `known`.

    Raises:
        BadRequestError: others are there.
    """
    params = parse_query(request.scope["query_string"])
    strangers = sorted(set(params.names()) - set(known))
    if strangers:
        raise BadRequestError(f"nobody knows the parameter `{_shown(strangers[0])}`")
    return params


def switch(params: Params, name: str) -> bool:
    """Whether the switch `name` is on.

    Raises:
        BadRequestError: it is neither `true` nor `false`.
    """
    value = params.one(name)
    if value not in {None, "true", "false"}:
        raise BadRequestError(f"`{name}` must be `true` or `false`")
    return value == "true"


def _problem(error: Error) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    if status >= 500:
        _log.error("management_failed", error=error.code, detail=error.detail, exc_info=error)
    if isinstance(error, DocumentInvalidError):
        problems: list[Json] = [str(one) for one in error.problems]
        body: JsonObject = {
            "type": f"urn:remit:error:{error.code}",
            "status": status,
            "code": error.code,
            "detail": error.detail,
            "problems": problems,
        }
        return json_response(
            body, status=status, headers={"Content-Type": "application/problem+json"}
        )
    return problem(status, error.code, detail=error.detail)


def _shown(text: str) -> str:
    return "".join(one if " " <= one <= "~" and one != "`" else "?" for one in text)[:64]

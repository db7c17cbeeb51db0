"""How one operation is answered, whichever door it came through: read, run, render.

Refused: a path that no text could be, a query or a body with a member that nobody knows,
twice, or of another type. Nothing has happened then.
"""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Shape
from remit.api.problems import bad_request, problem_of
from remit.canonical import canonical_bytes
from remit.errors import Error, NotFoundError
from remit.web import json_response, parse_query, read_json_object

__all__ = ["answer", "path_of"]

_LONGEST_SEGMENT = 512

S = TypeVar("S", bound=Shape)


async def answer(
    operation: AnyOperation, deps: ApiDeps, request: Request, by: Administrator
) -> Response:
    """The answer to `request`, which `by` may make."""
    try:
        asked = Asked(
            by=by,
            at=deps.clock.now(),
            path=path_of(request),
            query=_query(request, operation.query),
            body=await _body(request, operation),
        )
        found = await operation.run(deps, asked)
    except Error as error:
        return problem_of(error)
    return found if isinstance(found, Response) else json_response(found.model_dump(mode="json"))


def path_of(request: Request) -> Mapping[str, str]:
    """What stands in the placeholders of the path.

    Raises:
        NotFoundError: something that names nothing: a NUL would be an error of the database.
    """
    values: dict[str, str] = dict(request.path_params)
    if not all(one.isprintable() and len(one) <= _LONGEST_SEGMENT for one in values.values()):
        raise NotFoundError("there is nothing of that name")
    return values


def _query(request: Request, shape: type[S]) -> S:
    """The query parameters, each at most once.

    Raises:
        BadRequestError: one is unknown, missing or not as it must be.
        MalformedParametersError: they can be read in more than one way.
    """
    params = parse_query(request.scope["query_string"])
    given = {name: params.one(name) for name in sorted(params.names())}
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise bad_request(error) from error


async def _body(request: Request, operation: AnyOperation) -> Shape:
    """The body; a request that only reads has none.

    Raises:
        BadRequestError: a member is unknown, missing or not as it must be.
        MalformedJsonError, UnsupportedMediaTypeError, BodyTooLargeError: it is no JSON object.
    """
    shape: type[Shape] = operation.body
    if request.method in {"GET", "HEAD"}:
        return shape()
    members = await read_json_object(request, limit=operation.max_body)
    try:
        # As JSON, and strictly: a number is no text, and `"true"` is not true.
        return shape.model_validate_json(canonical_bytes(members), strict=True)
    except ValidationError as error:
        raise bad_request(error) from error

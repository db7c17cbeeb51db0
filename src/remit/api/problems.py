"""What was wrong with a request, said once and in one form.

Source: RFC 9457.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from remit.api.administrator import ForbiddenError
from remit.approvals.access import AccessStrengthError, NotYourReviewError
from remit.approvals.errors import NotAskedError, StrongerAuthenticationNeededError
from remit.canonical import Json, JsonObject
from remit.custody import OnePersonError
from remit.deployment import (
    BadSignatureError,
    BundleMalformedError,
    NotASecondPersonError,
    NotTriableError,
    TablesFailedError,
    WrongOriginError,
)
from remit.documents import DocumentInvalidError
from remit.errors import ConflictError, Error, NotFoundError, UnavailableError
from remit.web import (
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    json_response,
    problem,
)

__all__ = ["STATUSES", "BadRequestError", "bad_request", "not_here", "problem_of"]

_log = structlog.stdlib.get_logger("remit.api")


class BadRequestError(Error):
    """The request does not say what it should; `detail` names the member."""

    code: ClassVar[str] = "bad_request"


STATUSES: Mapping[type[Error], int] = MappingProxyType(
    {
        NotFoundError: 404,
        ConflictError: 409,
        ForbiddenError: 403,
        NotASecondPersonError: 403,
        OnePersonError: 403,
        AccessStrengthError: 403,
        NotYourReviewError: 403,
        NotAskedError: 403,
        StrongerAuthenticationNeededError: 403,
        UnavailableError: 503,
        BodyTooLargeError: 413,
        UnsupportedMediaTypeError: 415,
        DocumentInvalidError: 422,
        BadSignatureError: 422,
        BundleMalformedError: 422,
        NotTriableError: 422,
        TablesFailedError: 422,
        WrongOriginError: 422,
    }
)
"""The status of each kind of error; of every other 400."""


def problem_of(error: Error) -> Response:
    """`error` as the caller is told."""
    status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 400)
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


def bad_request(error: ValidationError) -> BadRequestError:
    """The first thing that is wrong with what was sent. Nothing that was sent is said, but names."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(_shown(str(part)) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            return BadRequestError(f"nobody knows `{name}`")
        case "missing":
            return BadRequestError(f"`{name}` is missing")
        case _:
            message = first["msg"].removeprefix("Value error, ")
            return BadRequestError(
                f"`{name}` is not as it must be: {message[:1].lower()}{message[1:]}"
            )


async def not_here(_request: Request, error: Exception) -> Response:
    """No such address, or not with this method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 405:
        return problem(405, "method_not_allowed", detail="not with this method", headers=headers)
    return problem(404, "not_found", detail="there is nothing here")


def _shown(text: str) -> str:
    return "".join(one if " " <= one <= "~" and one != "`" else "?" for one in text)[:64]

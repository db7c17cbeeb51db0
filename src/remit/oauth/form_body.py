"""The form of a token-like request, read once and strictly.

Refuses, all as `invalid_request`: another media type than a form, a body beyond the
limit, what is not UTF-8, a parameter given twice. `resource` and `audience` are
extensions that may repeat (RFC 8707 §2, RFC 8693 §2.1); what several mean is for
their own rules to say.

Source: O21 §3.2; RFC 6749 §3.2.
"""

from starlette.requests import Request

from remit.oauth.errors import InvalidRequestError, RequestTooLargeError
from remit.web import (
    BodyTooLargeError,
    MalformedParametersError,
    Params,
    UnsupportedMediaTypeError,
    read_form,
)

__all__ = ["REPEATABLE", "read_parameters", "refuse_repeats"]

REPEATABLE = frozenset({"audience", "resource"})


async def read_parameters(request: Request) -> Params:
    """The parameters of the body.

    Raises:
        InvalidRequestError: see the module.
    """
    try:
        params = await read_form(request)
    except BodyTooLargeError as error:
        raise RequestTooLargeError(error.detail, cause=error) from error
    except (MalformedParametersError, UnsupportedMediaTypeError) as error:
        raise InvalidRequestError(error.detail, cause=error) from error
    refuse_repeats(params)
    return params


def refuse_repeats(params: Params) -> None:
    """Return if nothing is given twice that may not be (AS-10).

    Raises:
        InvalidRequestError: something is.
    """
    for name in params.repeated():
        if name not in REPEATABLE:
            shown = name if name.isidentifier() and name.isascii() else "?"
            raise InvalidRequestError(f"the parameter `{shown[:64]}` is repeated")

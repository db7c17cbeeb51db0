"""Responses that are no page: JSON, problem details, redirects.

A redirect after a form is 303: the browser must not send the form, and the password in
it, to the next place (RFC 9700 §4.12). Nothing here is kept by a cache unless it says so.
"""

from collections.abc import Mapping

from starlette.responses import Response

from remit.canonical import canonical_bytes

__all__ = ["json_response", "problem", "redirect"]


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`value` as JSON, `no-store` unless `headers` say otherwise."""
    return _json(value, status=status, headers=headers, media_type="application/json")


def problem(
    status: int, code: str, *, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An RFC 9457 problem: `code` is the stable word, `detail` what may be shown."""
    value = {"type": f"urn:remit:error:{code}", "status": status, "code": code, "detail": detail}
    return _json(value, status=status, headers=headers, media_type="application/problem+json")


def redirect(url: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """303 to `url`, which must be ours or checked: it is put into `Location` as it stands."""
    if not url.isascii() or any(one <= " " or one == "\x7f" for one in url):
        raise ValueError("a redirect goes to a url without blanks or control characters")
    return Response(
        status_code=303,
        headers={"Location": url, "Cache-Control": "no-store", **(headers or {})},
    )


def _json(
    value: object, *, status: int, headers: Mapping[str, str] | None, media_type: str
) -> Response:
    return Response(
        canonical_bytes(value),
        status_code=status,
        media_type=media_type,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )

"""What a request shows of who sends it: a name with a secret, an assertion, or a bare name.

Refuses more than one way at once, a name that contradicts itself, half an assertion, another
scheme than Basic, credentials that no two readers read alike. Whether any of it is true is for
those to say who know the name: clients, and resource servers that ask about tokens.

Source: O21 §2.4, §2.4.1; RFC 6749 §2.3.1; RFC 7617 §2; RFC 7521 §4.2; RFC 7523 §2.2.
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from remit.oauth.assertions.client_assertion import CLIENT_ASSERTION_TYPE, claimed_client
from remit.oauth.errors import InvalidClientError, InvalidRequestError
from remit.web import Params

__all__ = ["PresentedCredentials", "presented_credentials"]

_MAX_ID = 1_024
_MAX_SECRET = 1_024
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedCredentials:
    """What the request shows; neither `secret` nor `assertion` ever reaches a log."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)
    basic: bool = False

    def refuse(self, detail: str, cause: BaseException | None = None) -> InvalidClientError:
        """The refusal of these credentials, in the scheme they came in."""
        return InvalidClientError(detail, tried_basic=self.basic, cause=cause)


def presented_credentials(authorization: list[str], form: Params) -> PresentedCredentials:
    """What stands in the `Authorization` headers or in `form`, in the one way that is used.

    Raises:
        InvalidRequestError: more than one way is used, or nobody is named.
        InvalidClientError: the credentials are malformed, or of a kind that is not taken.
    """
    assertion = _assertion(form)
    client_id, secret = form.one("client_id"), form.one("client_secret")
    if len(authorization) + (secret is not None) + (assertion is not None) > 1:
        raise InvalidRequestError("the client uses more than one way to authenticate")
    if authorization:
        name, password = _basic(authorization[0])
        if client_id is not None and client_id != name:
            raise InvalidRequestError("`client_id` differs from the one in the header")
        return PresentedCredentials(client_id=name, secret=password, basic=True)
    if assertion is not None:
        name = claimed_client(assertion)
        if client_id is not None and client_id != name:
            raise InvalidRequestError("`client_id` differs from the one in the assertion")
        return PresentedCredentials(client_id=name, assertion=assertion)
    if client_id is None:
        raise InvalidRequestError("`client_id` is required")
    if len(client_id) > _MAX_ID or (secret is not None and len(secret) > _MAX_SECRET):
        raise InvalidClientError("the client is unknown or disabled")
    return PresentedCredentials(client_id=client_id, secret=secret)


def _assertion(form: Params) -> str | None:
    """The client assertion, of the one type there is (RFC 7523 §2.2); half of one is refused."""
    assertion, kind = form.one("client_assertion"), form.one("client_assertion_type")
    if assertion is None and kind is None:
        return None
    if assertion is None or kind is None:
        raise InvalidRequestError(
            "`client_assertion` and `client_assertion_type` go with each other"
        )
    if kind != CLIENT_ASSERTION_TYPE:
        raise InvalidClientError("`client_assertion_type` is not supported")
    return assertion


def _basic(header: str) -> tuple[str, str]:
    """Name and password of a Basic header, each form-decoded on its own (RFC 6749 §2.3.1)."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClientError("the only scheme accepted is Basic", tried_basic=True)
    try:
        text = b64decode(credentials.strip(" "), validate=True).decode()
        name, colon, password = text.partition(":")
        if not colon or len(text) > _MAX_ID + _MAX_SECRET:
            raise ValueError("no name and password")  # noqa: TRY301  joins the others below
        return _form_decoded(name), _form_decoded(password)
    except (binascii.Error, ValueError) as error:
        raise InvalidClientError(
            "the Basic credentials are malformed", tried_basic=True, cause=error
        ) from error


def _form_decoded(text: str) -> str:
    if not text or _BAD_ESCAPE.search(text):
        raise ValueError("empty, or a malformed percent escape")
    decoded = unquote_to_bytes(text.replace("+", " ")).decode()
    if "\0" in decoded:
        raise ValueError("a nul, which no database compares")
    return decoded

"""Remit as a client at another's token endpoint: how it proves itself, and what it takes for an answer.

With a secret: in the Authorization header where the server takes that, else in the body, never
both. Without one: as a public client, PKCE alone. Refused: an answer that is not JSON, that says
an error, that has no bearer token, or that two parsers could read differently. Nothing of what was
issued is in an error.

Source: RFC 6749 §2.3.1, §4.1.3, §5.1, §5.2, Appendix B; O21 §2.4, §4.1.3; OpenID Connect Core §9.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import quote_plus

from remit.canonical import JsonObject, MalformedJsonError, parse_object
from remit.clock import Seconds
from remit.errors import Error
from remit.identity.providers.deps import PostForm
from remit.tokens.issuer_metadata import IssuerMetadata
from remit.web.fetch import Answer, FetchFailedError, FetchRefusedError, Reach

__all__ = [
    "ForeignTokens",
    "OwnCredentials",
    "TokenRequestError",
    "authorized",
    "request_tokens",
    "secret_of",
]

_ERROR = re.compile(r"[a-z_]{1,64}")
_MAX_LIFETIME = 10 * 365 * 86_400


class TokenRequestError(Error):
    """No tokens. `reason` is a stable word: `unavailable`, `misconfigured`, `malformed`, or the server's error."""

    code: ClassVar[str] = "token_request_failed"

    def __init__(self, reason: str, detail: str, *, cause: BaseException | None = None) -> None:
        super().__init__(detail, cause=cause)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCredentials:
    """What Remit is at a server: its client id there, and the secret if it has one."""

    client_id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTokens:
    """What a token endpoint issued; `scope` is `None` where it is as asked."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    expires_in: Seconds | None
    scope: str | None


def secret_of(
    client_id: str, reference: str | None, resolve_secret: Callable[[str], str]
) -> OwnCredentials:
    """The credentials whose secret is named by `reference`.

    Raises:
        TokenRequestError: it names none; then nothing is sent.
    """
    if reference is None:
        return OwnCredentials(client_id=client_id, secret=None)
    try:
        return OwnCredentials(client_id=client_id, secret=resolve_secret(reference))
    except (Error, OSError, KeyError, ValueError) as error:
        raise TokenRequestError(
            "misconfigured", "our own client secret cannot be read", cause=error
        ) from error


def authorized(
    fields: Mapping[str, str], own: OwnCredentials, methods: Collection[str]
) -> tuple[dict[str, str], str | None]:
    """`fields` with what proves the client, and the Authorization header if it is there instead.

    Raises:
        TokenRequestError: the server takes a secret in no way that we know.
    """
    if own.secret is None:
        return {**fields, "client_id": own.client_id}, None
    if "client_secret_basic" in methods:
        # RFC 6749 §2.3.1: both parts are form-encoded before they are joined by the colon.
        pair = f"{quote_plus(own.client_id)}:{quote_plus(own.secret)}"
        return dict(fields), f"Basic {b64encode(pair.encode()).decode()}"
    if "client_secret_post" in methods:
        return {**fields, "client_id": own.client_id, "client_secret": own.secret}, None
    raise TokenRequestError("misconfigured", "the server takes no client secret")


async def request_tokens(
    post_form: PostForm,
    metadata: IssuerMetadata,
    own: OwnCredentials,
    *,
    fields: Mapping[str, str],
    reach: Reach,
) -> ForeignTokens:
    """What the token endpoint of `metadata` issues for `fields`, asked once.

    Raises:
        TokenRequestError: see the module.
    """
    sent, authorization = authorized(fields, own, metadata.authentication_methods)
    try:
        answer = await post_form(
            metadata.token_endpoint, sent, authorization=authorization, reach=reach
        )
    except (FetchFailedError, FetchRefusedError) as error:
        raise TokenRequestError("unavailable", error.detail, cause=error) from error
    if answer.status >= 500:
        raise TokenRequestError("unavailable", f"the token endpoint answered {answer.status}")
    said = _object(answer)
    if answer.status != 200:
        raise TokenRequestError(_error_of(said), f"the token endpoint answered {answer.status}")
    return _tokens(said)


def _object(answer: Answer) -> JsonObject:
    try:
        if answer.media_type == "application/json":
            return parse_object(answer.body)
    except MalformedJsonError as error:
        raise TokenRequestError(
            "malformed", "the answer of the token endpoint is not strict json", cause=error
        ) from error
    raise TokenRequestError("malformed", "the answer of the token endpoint is not json")


def _error_of(said: JsonObject) -> str:
    """Its error, if that is a plain word: it goes into our log, and whoever wrote it is not us."""
    error = said.get("error")
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else "malformed"


def _tokens(said: JsonObject) -> ForeignTokens:
    kind = said.get("token_type")
    if not isinstance(kind, str) or kind.casefold() != "bearer":
        raise TokenRequestError("malformed", "the issued token is not a bearer token")
    access_token = _text(said, "access_token")
    if access_token is None:
        raise TokenRequestError("malformed", "the answer has no access token")
    return ForeignTokens(
        access_token=access_token,
        refresh_token=_text(said, "refresh_token"),
        id_token=_text(said, "id_token"),
        expires_in=_lifetime(said),
        scope=_text(said, "scope"),
    )


def _text(said: JsonObject, name: str) -> str | None:
    value = said.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise TokenRequestError("malformed", f"`{name}` in the answer is not of its type")
    return value


def _lifetime(said: JsonObject) -> Seconds | None:
    value = said.get("expires_in")
    if isinstance(value, str) and value.isdigit() and len(value) < 10:
        value = int(value)  # some servers write the number as a text
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_LIFETIME:
        raise TokenRequestError("malformed", "`expires_in` in the answer is not a length of time")
    return Seconds(value)

"""`credential:` of a server reached by HTTP: with what Remit proves itself there.

Exactly one of three: a secret of Remit's own, the connection of the person who calls, or a token
of our own that is exchanged for the caller's. Refused: a header that says something else to HTTP
or to MCP than who calls, and `Cookie`, whose value is a list that others may have a part in.

Source: RFC 9110 §5.1, §7.6.1, §11.4; RFC 8693 §2.1; MCP 2026-07-28 transports.
"""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from remit.documents import mistake, quoted
from remit.ids import ScopeName
from remit.model import ConnectionCredential, Credential, ExchangedCredential, SecretCredential
from remit.repository.fields import OptionalSecretReference, ScopeReference
from remit.repository.section import Section
from remit.repository.web_addresses import WebUrl

__all__ = ["CredentialSection", "ExchangeSection", "credential_of"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_TAKEN: Final = frozenset({
    "accept", "age", "connection", "cookie", "date", "dpop", "expect", "forwarded", "host",
    "keep-alive", "last-event-id", "location", "origin", "pragma", "priority", "range", "referer",
    "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "warning",
    "www-authenticate", "traceparent", "tracestate", "baggage",
})  # fmt: skip
_TAKEN_BEGINNINGS: Final = (
    "accept-", "access-control-", "cache-", "content-", "if-", "mcp-", "proxy-", "sec-", "x-forwarded-",
)  # fmt: skip


def _check_header(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise mistake(f"{quoted(text)} is no name of a header", expected="such as `X-Api-Key`")
    name = text.lower()
    if name in _TAKEN or name.startswith(_TAKEN_BEGINNINGS):
        raise mistake(
            f"the header {quoted(text)} says something else than who calls",
            expected="`Authorization`, or a header that only the server reads, such as `X-Api-Key`",
        )
    return name


def _check_scheme(text: str) -> str:
    if text and not _TOKEN.fullmatch(text):
        raise mistake(
            f"{quoted(text)} is no scheme of authentication",
            expected="one word such as `Bearer`, or nothing",
        )
    return text


def _check_connection(given: object) -> object:
    if given is not True:
        raise mistake(
            "a connection is used or it is not named",
            expected="`connection: true`, or no such key",
        )
    return given


class ExchangeSection(Section):
    """A token of Remit's own, for servers that trust Remit as an issuer (RFC 8693)."""

    audience: WebUrl = Field(
        description="The server's own resource identifier: what stands in the token's `aud`."
    )
    scopes: tuple[ScopeReference, ...] = Field(
        min_length=1,
        description="The most it may hold: of these it gets what the caller's token covers.",
    )


class CredentialSection(Section):
    """With what Remit proves to the server that it calls: exactly one of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [one]} for one in ("secret", "connection", "exchange")]
        }
    )

    secret: OptionalSecretReference = Field(
        default=None,
        description="One secret for all callers: `env:NAME`, `file:/path` or `stored:name`.",
    )
    header: Annotated[str, AfterValidator(_check_header)] | None = Field(
        default=None,
        description="The header it stands in; `Authorization` when left out.",
    )
    scheme: Annotated[str, AfterValidator(_check_scheme)] | None = Field(
        default=None,
        description="The word before it. Left out: `Bearer` in `Authorization`, and none in another header.",
    )
    connection: Annotated[
        Literal[True] | None,
        BeforeValidator(_check_connection),
        WithJsonSchema({"const": True}),
    ] = Field(
        default=None,
        description="`true`: the token that the third party of `connection` issued for the person who calls.",
    )
    exchange: ExchangeSection | None = Field(
        default=None, description="A narrower token of our own, made for the call."
    )

    @model_validator(mode="after")
    def _is_exactly_one(self) -> Self:
        if [self.secret, self.connection, self.exchange].count(None) != 2:
            raise mistake(
                "a credential is one thing", expected="`secret`, `connection` or `exchange`"
            )
        if self.secret is None and (self.header, self.scheme) != (None, None):
            raise mistake(
                "only a secret has a header of its own",
                expected="neither `header` nor `scheme`: it is a `Bearer` token in `Authorization`",
            )
        return self


def credential_of(section: CredentialSection | None) -> Credential | None:
    """What `section` says, in the words of the model."""
    if section is None:
        return None
    if section.secret is not None:
        header = section.header or "authorization"
        usual = "Bearer" if header == "authorization" else ""
        scheme = usual if section.scheme is None else section.scheme
        return SecretCredential(secret=section.secret, header=header, scheme=scheme)
    if section.exchange is not None:
        return ExchangedCredential(
            audience=section.exchange.audience,
            scopes=tuple(ScopeName(one) for one in section.exchange.scopes),
        )
    return ConnectionCredential()

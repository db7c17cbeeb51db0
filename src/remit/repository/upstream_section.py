"""`upstream:` and `connection:` of a server's file: how Remit reaches the server, and with what."""

from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, model_validator

from remit.clock import Seconds
from remit.documents import Duration, duration_field, mistake, quoted
from remit.model import HttpUpstream, StdioUpstream, ThirdParty, Upstream
from remit.repository.fields import Line, OptionalSecretReference, UpstreamUrl
from remit.repository.section import Section
from remit.repository.web_addresses import IssuerUrl, WebUrl
from remit.scopes import is_scope_token

__all__ = [
    "HttpSection",
    "StdioSection",
    "ThirdPartySection",
    "UpstreamSection",
    "connection_of",
    "upstream_of",
]

_LONGEST_TIMEOUT = 3_600


def _check_timeout(value: Seconds) -> Seconds:
    if value > _LONGEST_TIMEOUT:
        raise mistake("the timeout is out of bounds", expected="at most `1h`")
    return value


def _check_text(text: str) -> str:
    if not text or "\0" in text:
        raise mistake("an empty text, or one with a null character", expected="text")
    return text


def _check_variable(text: str) -> str:
    if not text or not text.replace("_", "a").isalnum() or not text.isascii() or text[0].isdigit():
        raise mistake(
            f"{quoted(text)} is no name of an environment variable",
            expected="such as `LEDGER_FILE`",
        )
    return text


_Timeout = Annotated[Duration, AfterValidator(_check_timeout)]
_Text = Annotated[str, AfterValidator(_check_text)]
_Variable = Annotated[str, AfterValidator(_check_variable)]


class HttpSection(Section):
    """A server reached by streamable HTTP."""

    url: UpstreamUrl = Field(description="Its MCP endpoint. `https`, or `http` on loopback.")
    bearer_secret: OptionalSecretReference = Field(
        default=None,
        description="The credential that Remit itself presents: `env:NAME` or `file:/path`. The caller's token never goes further.",
    )
    timeout: _Timeout = duration_field(
        "60s", "How long to wait for an answer to begin. At most `1h`."
    )


class StdioSection(Section):
    """A server that Remit starts as a child process."""

    command: tuple[_Text, ...] = Field(
        min_length=1,
        description="The program and its arguments, without a shell. A first word `python` is the interpreter that Remit runs on.",
    )
    environment: dict[_Variable, str] = Field(
        default={},
        description="Variables for the child. A value `env:NAME` or `file:/path` is looked up; other values stand for themselves.",
    )
    working_directory: _Text | None = Field(default=None, description="Where the child starts.")
    timeout: _Timeout = duration_field("60s", "How long to wait for an answer. At most `1h`.")


class UpstreamSection(Section):
    """How Remit reaches the server: exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [one], "properties": {one: {"type": "object"}}}
                for one in ("http", "stdio")
            ]
        }
    )

    http: HttpSection | None = Field(default=None, description="By streamable HTTP.")
    stdio: StdioSection | None = Field(
        default=None, description="As a child process, over its standard streams."
    )

    @model_validator(mode="after")
    def _is_exactly_one(self) -> Self:
        if (self.http is None) == (self.stdio is None):
            raise mistake("an upstream is one thing", expected="either `http` or `stdio`")
        return self


def _check_foreign_scope(text: str) -> str:
    if not is_scope_token(text):
        raise mistake(
            f"{quoted(text)} is no scope", expected="a scope in the words of the third party"
        )
    return text


class ThirdPartySection(Section):
    """The authorization server of an API that the server needs on each person's behalf.

    Remit is one client there for everybody, so each person consents here before any is sent
    on; what comes back is kept sealed, and given to this server alone.
    """

    title: Line = Field(description="What people see before they connect their account.")
    issuer: IssuerUrl = Field(description="Its issuer, to the letter.")
    client_id: Line = Field(description="What Remit is called there.")
    secret: OptionalSecretReference = Field(
        default=None,
        description="Where Remit's secret there is kept: `env:NAME` or `file:/path`. Without one, Remit is a public client there.",
    )
    scopes: tuple[Annotated[str, AfterValidator(_check_foreign_scope)], ...] = Field(
        default=(), description="What is asked for there, in its own words."
    )
    resource: WebUrl | None = Field(
        default=None, description="The API the tokens are for, where it has to be said (RFC 8707)."
    )
    private_network: StrictBool = Field(
        default=False,
        description="Whether its addresses may be private; on loopback it may be `http` then, too.",
    )


def upstream_of(section: UpstreamSection) -> Upstream:
    """What `section` says, in the words of the model."""
    if section.http is not None:
        http = section.http
        return HttpUpstream(url=http.url, bearer_secret=http.bearer_secret, timeout=http.timeout)
    if section.stdio is None:
        raise ValueError("an upstream is `http` or `stdio`")
    stdio = section.stdio
    return StdioUpstream(
        command=stdio.command,
        environment=MappingProxyType(dict(stdio.environment)),
        working_directory=stdio.working_directory,
        timeout=stdio.timeout,
    )


def connection_of(section: ThirdPartySection | None) -> ThirdParty | None:
    """What `section` says, in the words of the model."""
    if section is None:
        return None
    return ThirdParty(
        issuer=section.issuer,
        client_id=section.client_id,
        secret=section.secret,
        scopes=section.scopes,
        resource=section.resource,
        title=section.title,
        private_network=section.private_network,
    )

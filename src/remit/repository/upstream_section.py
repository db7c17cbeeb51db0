"""`upstream:` and `connection:` of a server's file: how Remit reaches the server, and with what."""

import re
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    WithJsonSchema,
    model_validator,
)

from remit.clock import Seconds
from remit.documents import Duration, duration_field, mistake, quoted
from remit.model import HttpUpstream, StdioUpstream, ThirdParty, Upstream
from remit.repository.credential_section import CredentialSection, credential_of
from remit.repository.fields import SECRET_REFERENCE, Line, OptionalSecretReference, UpstreamUrl
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
_UNITS: Final = {"MiB": 1024**2, "GiB": 1024**3}
_SMALLEST_MEMORY: Final = 16 * 1024**2
_LARGEST_MEMORY: Final = 1024 * 1024**3
_REFERENCE = re.compile(SECRET_REFERENCE)


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


def _check_inherited(text: str) -> str:
    if text.startswith("REMIT_"):
        # The master key and the database's password stand there.
        raise mistake(
            f"{quoted(text)} is Remit's own", expected="a variable that is not called `REMIT_…`"
        )
    return text


def _check_value(text: str) -> str:
    if "\0" in text:
        raise mistake("a null character", expected="text")
    if text.startswith(("env:", "file:", "stored:")) and not _REFERENCE.fullmatch(text):
        raise mistake(
            "what begins like a reference to a secret is none",
            expected="`env:NAME`, `file:/path` or `stored:name`",
            hide=True,
        )
    return text


def _parse_memory(given: object) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,6})(MiB|GiB)", given) if isinstance(given, str) else None
    if found is None:
        raise mistake(f"{quoted(given)} is no size", expected="such as `512MiB` or `2GiB`")
    size = int(found[1]) * _UNITS[found[2]]
    if not _SMALLEST_MEMORY <= size <= _LARGEST_MEMORY:
        raise mistake("the size is out of bounds", expected="between `16MiB` and `1024GiB`")
    return size


def _count(least: int, most: int) -> BeforeValidator:
    def parse(given: object) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
            raise mistake(
                f"{quoted(given)} is no number in bounds",
                expected=f"a whole number from {least} to {most}",
            )
        return given

    return BeforeValidator(parse)


_Inherited = Annotated[str, AfterValidator(_check_variable), AfterValidator(_check_inherited)]
_Value = Annotated[str, AfterValidator(_check_value)]
_Memory = Annotated[
    int,
    BeforeValidator(_parse_memory),
    WithJsonSchema(
        {"type": "string", "pattern": "^[1-9][0-9]{0,6}(MiB|GiB)$", "examples": ["512MiB"]}
    ),
]
_OpenFiles = Annotated[
    int,
    _count(16, 65_536),
    WithJsonSchema({"type": "integer", "minimum": 16, "maximum": 65_536}),
]
_Processes = Annotated[
    int, _count(1, 4_096), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 4_096})
]
_Timeout = Annotated[Duration, AfterValidator(_check_timeout)]
_Text = Annotated[str, AfterValidator(_check_text)]
_Variable = Annotated[str, AfterValidator(_check_variable)]


class HttpSection(Section):
    """A server reached by streamable HTTP."""

    url: UpstreamUrl = Field(description="Its MCP endpoint. `https`, or `http` on loopback.")
    bearer_secret: OptionalSecretReference = Field(
        default=None,
        description="Short for `credential: {secret: …}`: `env:NAME`, `file:/path` or `stored:name`, sent as a bearer token.",
    )
    credential: CredentialSection | None = Field(
        default=None,
        description="With what Remit proves itself there. The caller's token never goes further.",
    )
    timeout: _Timeout = duration_field(
        "60s", "How long to wait for an answer to begin. At most `1h`."
    )

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if self.bearer_secret is not None and self.credential is not None:
            raise mistake(
                "the server has two credentials", expected="`bearer_secret` or `credential`"
            )
        return self


class StdioSection(Section):
    """A server that Remit starts as a child process."""

    command: tuple[_Text, ...] = Field(
        min_length=1,
        description="The program and its arguments, without a shell. A first word `python` is the interpreter that Remit runs on.",
    )
    environment: dict[_Variable, _Value] = Field(
        default={},
        description="Variables for the child. A value `env:NAME`, `file:/path` or `stored:name` is looked up; other values stand for themselves.",
    )
    inherit: tuple[_Inherited, ...] = Field(
        default=(),
        description="Variables of Remit's own environment that the child gets, too. Else only `PATH`, `HOME`, `LANG` and `TZ`.",
    )
    working_directory: _Text | None = Field(default=None, description="Where the child starts.")
    timeout: _Timeout = duration_field("60s", "How long to wait for an answer. At most `1h`.")
    max_memory: _Memory | None = Field(
        default=None,
        description="The address space that a process of it may have, such as `512MiB`.",
    )
    max_cpu: Duration | None = Field(
        default=None, description="The processor time that a process of it may use up, in all."
    )
    max_open_files: _OpenFiles | None = Field(
        default=None, description="How many files a process of it may have open."
    )
    max_processes: _Processes | None = Field(
        default=None,
        description="How many processes it may be, itself included; with more it is ended.",
    )

    @model_validator(mode="before")
    @classmethod
    def _has_no_credential_of_one_caller(cls, given: object) -> object:
        if isinstance(given, dict) and "credential" in given:
            raise mistake(
                "one process serves all callers, so it cannot be given the credential of one",
                expected="a secret of Remit's own under `environment`, or the server behind `http`",
            )
        return given

    @model_validator(mode="after")
    def _says_each_variable_once(self) -> Self:
        twice = sorted(set(self.inherit) & set(self.environment))
        if twice:
            raise mistake(
                f"{quoted(twice[0])} is both inherited and given a value",
                expected="`inherit` or `environment`",
            )
        return self


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
        description="Where Remit's secret there is kept: `env:NAME`, `file:/path` or `stored:name`. Without one, Remit is a public client there.",
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
        return HttpUpstream(
            url=http.url,
            bearer_secret=http.bearer_secret,
            credential=credential_of(http.credential),
            timeout=http.timeout,
        )
    if section.stdio is None:
        raise ValueError("an upstream is `http` or `stdio`")
    stdio = section.stdio
    return StdioUpstream(
        command=stdio.command,
        environment=MappingProxyType(dict(stdio.environment)),
        working_directory=stdio.working_directory,
        timeout=stdio.timeout,
        inherit=stdio.inherit,
        max_memory_bytes=stdio.max_memory,
        max_cpu_seconds=stdio.max_cpu,
        max_open_files=stdio.max_open_files,
        max_processes=stdio.max_processes,
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

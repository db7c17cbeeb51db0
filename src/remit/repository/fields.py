"""The words that a policy repository is written in: names, scopes, secrets, URLs, pointers.

Each is a type for the models of the files, with its own refusal. Whether a name
that is well formed also exists is for `references` to say.

Source: RFC 6901 §3 (pointers); RFC 6570 §1.2 (level 1 templates); ISO 4217; MCP 2026-07-28, tool names.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from remit.documents import did_you_mean, mistake, one_of, quoted
from remit.scopes import is_scope_name

__all__ = [
    "ONE_OPERATION",
    "SECRET_REFERENCE",
    "ArgumentName",
    "Currency",
    "Line",
    "Name",
    "OptionalSecretReference",
    "Pointer",
    "ProofOfPossession",
    "Prose",
    "ResourceIdentifier",
    "ResourceUri",
    "ScopeReference",
    "ScopeText",
    "SecretReference",
    "ThingName",
    "TimeZone",
    "UpstreamUrl",
    "check_scope",
    "is_general_purpose",
    "is_loopback_host",
    "is_name",
]

ONE_OPERATION = "one operation on one resource, such as `crm:accounts.read`"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_EVERYTHING = frozenset({
    "all", "any", "anything", "everything", "full", "full-access", "full_access", "god", "root",
    "superuser", "unrestricted", "wildcard",
})  # fmt: skip
_EVERYTHING_OF_A_SYSTEM = _EVERYTHING | {"access", "admin", "api", "default", "manage", "use"}
_CLAIMS = frozenset({"agent_id", "environment", "organization_id"})
_TEMPLATE_VARIABLE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


def is_name(text: str) -> bool:
    """Whether `text` may name a server, an agent, a tenant, an environment or a role."""
    return _NAME.fullmatch(text) is not None


def is_general_purpose(scope: str) -> bool:
    """Whether `scope` opens everything, or everything of one system: `*`, `admin`, `mcp:all`, `crm:admin`.

    `payments:ledger.admin` does not: it says what it is the administration of.
    """
    parts = re.split(r"[:.]", scope)
    if "*" in scope or parts[-1] in _EVERYTHING:
        return True
    return len(parts) <= 2 and parts[-1] in _EVERYTHING_OF_A_SYSTEM


def _matching(pattern: str, what: str, expected: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise mistake(f"{quoted(text)} is no {what}", expected=expected)
        return text

    return check


def _check_line(text: str) -> str:
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise mistake(
            f"{quoted(text)} is no line of text", expected="1 to 200 characters on one line"
        )
    return text


def _check_prose(text: str) -> str:
    if len(text) > 4_000 or not all(one.isprintable() or one == "\n" for one in text):
        raise mistake(
            "the text is too long or holds control characters",
            expected="plain text, at most 4000 characters",
        )
    return text.strip()


def check_scope(text: str) -> str:
    """`text`, if it is written as the names of scopes are.

    Raises:
        PydanticCustomError: it opens everything, or is no name of a scope.
    """
    if is_general_purpose(text):
        message = f"{quoted(text)} is a general-purpose scope"
        raise mistake(message, expected=ONE_OPERATION, code="general-scope")
    if not is_scope_name(text):
        raise mistake(
            f"{quoted(text)} is no scope name",
            expected="`system:resource.operation` in lower case, such as `crm:accounts.read`",
        )
    for name in re.findall(r"\{([a-z_]+)\}", text):
        # Any attribute of a person may be bound, so only a near miss of our own claims is a mistake.
        near = did_you_mean(name, _CLAIMS, likeness=0.9) if name not in _CLAIMS else ""
        if near:
            raise mistake(f"unknown placeholder {quoted(name)}{near}", expected=one_of(_CLAIMS))
    return text


def _check_secret(given: object) -> object:
    """Refuse anything but a reference. What stands there may be the secret itself: it is not repeated."""
    if not isinstance(given, str) or not re.fullmatch(SECRET_REFERENCE, given):
        raise mistake(
            "a secret stands in the repository, or what is no reference to one",
            expected="`env:NAME`, `file:/path` or `stored:name`, where the secret itself is kept",
            hide=True,
        )
    return given


def _check_optional_secret(given: object) -> object:
    """Refuse a key without a value: whoever wrote it meant a secret, and would go without one."""
    if given is None:
        raise mistake(
            "the secret is left blank",
            expected="`env:NAME`, `file:/path` or `stored:name`, or no key at all",
        )
    return _check_secret(given)


def _check_time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise mistake(
            f"{quoted(text)} is no time zone",
            expected="a name of the IANA database, such as `Europe/Berlin`",
        ) from None
    return text


def _check_resource_identifier(text: str) -> str:
    """As an upstream's, and in the one spelling in which tokens and requests for them name it."""
    checked = _check_upstream_url(text)
    parts = urlsplit(checked)
    canonical = f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
    if checked != canonical or not parts.path.rstrip("/"):
        raise mistake(
            f"{quoted(text)} is not how clients and tokens name a server",
            expected="host in lower case, a path without `/` at its end, no query",
        )
    return checked


def _check_upstream_url(text: str) -> str:
    expected = "`https://host/path`, or `http://` on loopback"
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise mistake(f"{quoted(text)} is no URL", expected=expected) from None
    if parts.username is not None or parts.password is not None:
        raise mistake(
            "the URL holds a user name or a password",
            expected="`credential` or `bearer_secret` beside it",
            hide=True,
        )
    if (
        not host
        or not text.isascii()
        or not text.isprintable()
        or " " in text
        or "\\" in text
        or "#" in text
    ):
        raise mistake(f"{quoted(text)} is no URL of a server", expected=expected)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback_host(host)):
        return text
    raise mistake(
        f"{quoted(text)} would send the server's credential in the clear", expected=expected
    )


def is_loopback_host(host: str) -> bool:
    """Whether a connection to `host` stays on this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_resource_uri(text: str) -> str:
    rest = _TEMPLATE_VARIABLE.sub("", text)
    if (
        not re.fullmatch(r"[a-z][a-z0-9+.-]*:[!-~]+", text)
        or "{" in rest
        or "}" in rest
        or "}{" in text
    ):
        raise mistake(
            f"{quoted(text)} is no resource URI",
            expected="a URI such as `crm://handbook`, or a template such as `crm://accounts/{account_id}`",
        )
    names = _TEMPLATE_VARIABLE.findall(text)
    if len(set(names)) < len(names):
        raise mistake(f"{quoted(text)} names a variable twice", expected="each variable once")
    return text


SECRET_REFERENCE: Final = (
    r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\x00-\x1f\x7f]+|stored:[a-z0-9][a-z0-9._-]{0,62}"  # noqa: S105  the form of a reference
)
"""The form of a reference to a secret, as a pattern."""
_THING = r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}"
_ARGUMENT = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_POINTER = r"(/([^~/]|~[01])*)+"
_CURRENCY = r"[A-Z]{3}"
_SECRET_TEXT = {
    "type": "string",
    "pattern": f"^({SECRET_REFERENCE})$",
    "examples": ["env:CRM_TOKEN"],
}
# As near as a pattern comes: `https` anywhere, `http` on loopback, no fragment.
_URL = (
    r"^(https://[^\s#\\]+"
    r"|http://([Ll]ocalhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?([/?][^\s#\\]*)?)$"
)
_SCOPE_TEXT = {"type": "string", "examples": ["crm:accounts.read"]}

Line = Annotated[
    str,
    AfterValidator(_check_line),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200}),
]
"""One line of text for people."""
Prose = Annotated[
    str, AfterValidator(_check_prose), WithJsonSchema({"type": "string", "maxLength": 4000})
]
"""Text for people, several lines if need be."""
Name = Annotated[
    str,
    AfterValidator(
        _matching(
            _NAME.pattern, "name", "lower-case letters, digits and `-`, such as `sales-manager`"
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"}),
]
"""The name of a tenant, an environment, a role or a data category."""
ThingName = Annotated[
    str,
    AfterValidator(
        _matching(
            _THING,
            "name of a tool or prompt",
            "letters, digits, `_`, `-`, `.` and `/`, at most 128",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_THING}$"}),
]
"""The name of a tool or prompt, as its server gives it."""
ArgumentName = Annotated[
    str,
    AfterValidator(
        _matching(
            _ARGUMENT,
            "name of an argument",
            "letters, digits and `_`, so that policies can say `context.arguments.name`",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_ARGUMENT}$"}),
]
"""The name by which policies read an argument."""
Pointer = Annotated[
    str,
    AfterValidator(
        _matching(_POINTER, "JSON pointer", "a path from the arguments, such as `/order/amount`")
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_POINTER}$", "examples": ["/order/amount"]}),
]
"""An RFC 6901 pointer into a call's arguments."""
Currency = Annotated[
    str,
    AfterValidator(
        _matching(_CURRENCY, "currency", "three capital letters (ISO 4217), such as `USD`")
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_CURRENCY}$", "examples": ["USD"]}),
]
ScopeText = Annotated[str, AfterValidator(check_scope), WithJsonSchema(_SCOPE_TEXT)]
"""The name of a scope, where it is defined."""
ScopeReference = Annotated[str, WithJsonSchema(_SCOPE_TEXT)]
"""The name of a scope, where it is used; `references` says whether it exists."""
SecretReference = Annotated[
    str,
    BeforeValidator(_check_secret),
    WithJsonSchema(_SECRET_TEXT),
]
"""Where a secret is kept: never the secret."""
OptionalSecretReference = Annotated[
    str | None, BeforeValidator(_check_optional_secret), WithJsonSchema(_SECRET_TEXT)
]
"""The same, where there need not be one: then the key is left out, not left blank."""
ProofOfPossession = Literal["required", "optional"]
"""Whether tokens have to be bound to a key (RFC 9449)."""
TimeZone = Annotated[
    str,
    AfterValidator(_check_time_zone),
    WithJsonSchema({"type": "string", "examples": ["Europe/Berlin"]}),
]
UpstreamUrl = Annotated[
    str,
    AfterValidator(_check_upstream_url),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": _URL,
            "examples": ["https://crm.example/mcp"],
        }
    ),
]
ResourceIdentifier = Annotated[
    str,
    AfterValidator(_check_resource_identifier),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": _URL,
            "examples": ["https://crm.example/mcp"],
        }
    ),
]
"""Where clients reach a server that guards itself, in the one spelling that tokens have."""
ResourceUri = Annotated[
    str, AfterValidator(_check_resource_uri), WithJsonSchema({"type": "string"})
]

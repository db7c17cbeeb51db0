"""Addresses of what Remit asks over the network: issuers, and where their keys are.

Each is a type with its own refusal. Whether plain http is admitted depends on what
else is declared beside the address, so `private_address_faults` says that.

Source: OpenID Connect Discovery §3; RFC 8414 §2 (no query, no fragment); RFC 9700 §4.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, WithJsonSchema

from remit.documents import Document, Path, Problem, mistake, quoted
from remit.repository.fields import is_loopback_host

__all__ = ["HttpsUrl", "IssuerUrl", "WebUrl", "private_address_faults", "shared_suffix_fault"]

_TEXT = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_MAX_LENGTH = 2_048
# Beneath these anybody can have a name, so a wildcard there vouches for nobody. Not the
# whole of the Public Suffix List: the second level of countries, and well-known hosters.
_SECOND_LEVEL = frozenset({
    "ac", "co", "com", "edu", "gob", "gov", "gouv", "ltd", "ne", "net", "nom", "or", "org", "plc",
})  # fmt: skip
_SHARED = frozenset({
    "amplifyapp.com", "appspot.com", "azurewebsites.net", "azurestaticapps.net", "cloudfront.net",
    "deno.dev", "firebaseapp.com", "fly.dev", "github.dev", "github.io", "gitlab.io", "glitch.me",
    "herokuapp.com", "loca.lt", "netlify.app", "ngrok-free.app", "ngrok.app", "ngrok.io",
    "onrender.com", "pages.dev", "railway.app", "replit.app", "replit.dev", "run.app",
    "surge.sh", "trycloudflare.com", "vercel.app", "web.app", "windows.net", "workers.dev",
})  # fmt: skip


def shared_suffix_fault(suffix: str) -> str | None:
    """What keeps `*.` from standing before `suffix`: that strangers have names beneath it."""
    labels = suffix.split(".")
    shared = (
        len(labels) < 2
        or suffix in _SHARED
        or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL)
    )
    return (
        "a wildcard beneath a domain that one owner has, such as `*.acme.example`"
        if shared
        else None
    )


def private_address_faults(
    document: Document, section: Path, *, names: Sequence[str] = ("issuer", "jwks_uri")
) -> Iterator[Problem]:
    """What is wrong with the addresses of `section` that stand under `names`, given its `private_network`.

    Plain http is for loopback alone, and only where a private address is meant; a private
    address that is not meant would be refused at every fetch (SSRF).
    """
    allowed, exists = document.nearest((*section, "private_network"))
    private = exists and allowed.value is True
    for name in names:
        node, exists = document.nearest((*section, name))
        if not exists or not isinstance(node.value, str):
            continue
        parts = _split(node.value)
        if parts is None:
            continue  # It is no URL, which is reported itself.
        scheme, host = parts
        if scheme == "http" and not (private and is_loopback_host(host)):
            yield document.problem(
                (*section, name),
                f"{quoted(node.value)} would be asked in the clear",
                expected="`https`; `http` is for loopback, together with `private_network: true`",
            )
        elif not private and _is_private(host):
            yield document.problem(
                (*section, name),
                f"{quoted(node.value)} is a private address",
                expected="`private_network: true` beside it, or a public address",
            )


def _split(text: str) -> tuple[str, str] | None:
    if not _TEXT.fullmatch(text) or len(text) > _MAX_LENGTH:
        return None
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        return None
    return parts.scheme, host


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _url(
    what: str, expected: str, *, https_only: bool = False, query: bool = True
) -> Callable[[str], str]:
    def check(text: str) -> str:
        parts = _split(text)
        if parts is None or (https_only and parts[0] != "https") or (not query and "?" in text):
            # What stands before an `@` may be a password.
            raise mistake(
                f"this is no {what}" if "@" in text else f"{quoted(text)} is no {what}",
                expected=expected,
                hide="@" in text,
            )
        return text

    return check


IssuerUrl = Annotated[
    str,
    AfterValidator(
        _url(
            "issuer",
            "an `https` URL without query and fragment, to the letter as it stands in `iss`",
            query=False,
        )
    ),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": r"^https?://[^\s?#@]+$",
            "examples": ["https://login.acme.example"],
        }
    ),
]
"""An issuer, as it stands in `iss`."""
WebUrl = Annotated[
    str,
    AfterValidator(_url("URL", "an `https` URL without user name and fragment")),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": r"^https?://[^\s#@]+$",
            "examples": ["https://login.acme.example/jwks"],
        }
    ),
]
"""Something at an issuer. http is judged together with `private_network`."""
HttpsUrl = Annotated[
    str,
    AfterValidator(_url("URL", "an `https` URL without user name and fragment", https_only=True)),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": r"^https://[^\s#@]+$",
            "examples": ["https://agent.acme.example/jwks"],
        }
    ),
]
"""The same, and never http."""

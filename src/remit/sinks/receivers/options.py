"""The options of a sink, read: texts in the policy repository, and refused where they say nothing we know.

Who may be reached is the operator's to say, in files that no caller has a word in; so it may be a private address or
loopback, and without TLS loopback alone.
"""

import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from remit.errors import Error
from remit.sinks.declared import COMMON
from remit.sinks.port import SinkSettings
from remit.web.reach import Destination, Reach, destination_of

__all__ = [
    "REACH",
    "SinkMisdeclaredError",
    "check_options",
    "choice",
    "header_secret",
    "reach_word",
    "seconds",
    "tls_of",
    "tls_word",
    "web_destination",
    "whole",
]

REACH: Final = Reach(private=True)
_BEGINNINGS: Final = {"now": "with what comes", "start": "with what is kept"}
_LONGEST: Final = 3_600.0
_CERTIFICATES: Final[Mapping[int, str]] = MappingProxyType(
    {
        9: "certificate_not_yet_valid",
        10: "certificate_expired",
        62: "certificate_of_another_host",
        64: "certificate_of_another_host",
    }
)
"""By OpenSSL's numbers, x509_vfy.h."""


class SinkMisdeclaredError(Error):
    """What the policy repository says of a sink cannot be done."""

    code: ClassVar[str] = "sink_misdeclared"


def check_options(settings: SinkSettings, known: frozenset[str]) -> None:
    """Return if the sink knows every option that is given.

    Raises:
        SinkMisdeclaredError: there is one that it does not know.
    """
    for name in sorted(settings.options):
        if name not in known and name not in COMMON:
            raise SinkMisdeclaredError(f"the sink `{settings.name}` has no option `{name}`")
    choice(settings, "begin", "start", _BEGINNINGS)


def seconds(settings: SinkSettings, name: str, default: float) -> float:
    """A number of seconds, more than none."""
    given = settings.options.get(name)
    if given is None:
        return default
    try:
        found = float(given.removesuffix("s"))
    except ValueError:
        found = 0.0
    if not 0 < found <= _LONGEST:
        raise SinkMisdeclaredError(
            f"`{name}` of the sink `{settings.name}` is no number of seconds"
        )
    return found


def whole(settings: SinkSettings, name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within its bounds."""
    given = settings.options.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or not least <= int(given) <= most:
        raise SinkMisdeclaredError(
            f"`{name}` of the sink `{settings.name}` is no number from {least} to {most}"
        )
    return int(given)


def choice(settings: SinkSettings, name: str, default: str, known: Mapping[str, object]) -> str:
    """One of the words that are known."""
    given = settings.options.get(name, default)
    if given not in known:
        words = ", ".join(f"`{one}`" for one in known)
        raise SinkMisdeclaredError(f"`{name}` of the sink `{settings.name}` is none of {words}")
    return given


def tls_of(settings: SinkSettings) -> ssl.SSLContext:
    """Whom to believe (`ca_file`, else the machine's), and who we are (`client_cert`, `client_key`).

    Raises:
        SinkMisdeclaredError: one of the files cannot be read.
    """
    certificate = settings.options.get("client_cert")
    try:
        context = ssl.create_default_context(cafile=settings.options.get("ca_file"))
        if certificate is not None:
            context.load_cert_chain(certificate, settings.options.get("client_key"))
    except (OSError, ssl.SSLError) as error:
        raise SinkMisdeclaredError(
            f"a certificate or key of the sink `{settings.name}` cannot be read", cause=error
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def reach_word(error: OSError) -> str:
    """Why nothing is connected to, in a word."""
    return "host_unknown" if isinstance(error, socket.gaierror) else "unreachable"


def tls_word(error: ssl.SSLError) -> str:
    """What was wrong with TLS, in a word."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(error.verify_code, "certificate_not_trusted")
    return "tls_failed"


def web_destination(settings: SinkSettings, url: str) -> Destination:
    """Where `url` leads.

    Raises:
        SinkMisdeclaredError: it is none that may be asked.
    """
    try:
        return destination_of(url, REACH)
    except Error as error:
        raise SinkMisdeclaredError(
            f"the URL of the sink `{settings.name}` cannot be used: {error.detail}", cause=error
        ) from error


def header_secret(settings: SinkSettings) -> str | None:
    """The secret, fit for a header.

    Raises:
        SinkMisdeclaredError: it cannot be had, or is no value of a header. It is not named: it is the secret.
    """
    try:
        secret = settings.read_secret()
    except Error as error:
        raise SinkMisdeclaredError(
            f"the secret of the sink `{settings.name}` cannot be had", cause=error
        ) from error
    if secret is None:
        return None
    secret = secret.strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise SinkMisdeclaredError(
            f"the secret of the sink `{settings.name}` is no value of a header"
        )
    return secret

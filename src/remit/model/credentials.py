"""With what Remit proves to a server behind that it is called by Remit. Never with the caller's token."""

from dataclasses import dataclass

from remit.ids import ScopeName

__all__ = ["ConnectionCredential", "Credential", "ExchangedCredential", "SecretCredential"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCredential:
    """One secret for all callers, in `header`, after `scheme` and a space if there is a scheme.

    `secret` names it: `env:NAME`, `file:PATH`, or `stored:NAME` for one that is sealed in the database.
    """

    secret: str
    header: str = "authorization"
    scheme: str = "Bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCredential:
    """The access token that the server's third party (`Server.connection`) issued for the person who calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangedCredential:
    """A token of our own, made for this very call out of the caller's: narrower, shorter, for `audience` alone.

    For servers that trust Remit's issuer. `audience` is the server's own resource identifier,
    `scopes` the most it may hold: of them it gets those that the caller holds.
    """

    audience: str
    scopes: tuple[ScopeName, ...] = ()


Credential = SecretCredential | ConnectionCredential | ExchangedCredential

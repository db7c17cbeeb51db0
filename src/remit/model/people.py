"""What people may be, and how they prove who they are.

Source: OpenID Connect Core §3.1.3.7; MISSION A9, B3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from remit.clock import Seconds
from remit.ids import ScopeName, TenantId

__all__ = [
    "AttributeRule",
    "ClaimMapping",
    "IdentityProvider",
    "Role",
    "SecondFactor",
    "SignIn",
]

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role and the scopes a person holding it may at most grant to an agent."""

    name: str
    scopes: tuple[ScopeName, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRule:
    """People whose attributes match all of `attributes` hold `roles`."""

    attributes: Mapping[str, str]
    roles: tuple[str, ...]


class SecondFactor(StrEnum):
    """Whether a password alone lets a person in."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    """A person without a second factor has to set one up at the next log-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMapping:
    """What claims of an identity provider make of a person. Every rule that matches applies.

    It matches when each named claim is, or is a list that holds, one of the values given
    for it, compared exactly. `deny` keeps the person out whatever other rules say.
    """

    claims: Mapping[str, tuple[str, ...]]
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    tenant: TenantId | None = None
    deny: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """An OpenID provider people may log in through. `name` stands in our URLs.

    A person is known by (`issuer`, `sub`), never by an e-mail address. `secret` names a
    secret (`env:NAME` or `file:PATH`). Tenant: of the first rule that gives one, else `tenant`;
    a person with none is refused.
    """

    name: str
    title: str
    issuer: str
    client_id: str
    secret: str | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    tenant: TenantId | None = None
    username_claim: str = "preferred_username"
    attributes: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """Our attribute to the claim it is taken from."""
    rules: tuple[ClaimMapping, ...] = ()
    provision: bool = True
    """Whether a person nobody has seen before gets an account; else only linked ones come in."""
    believe_amr: bool = False
    """Whether its `amr` counts here as a second factor (`mfa`, `otp`, `hwk`) or a passkey (`phr`)."""
    private_network: bool = False
    """Whether its addresses may be private or loopback; http then, too, for loopback alone."""
    roles_max_age: Seconds = Seconds(0)
    """How old what it said of a person may be when a token is refreshed; older, it is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How people log in. Passwords are of local accounts alone."""

    passwords: bool = True
    second_factor: SecondFactor = SecondFactor.OPTIONAL
    providers: Mapping[str, IdentityProvider] = field(default_factory=lambda: MappingProxyType({}))

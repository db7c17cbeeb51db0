"""What the claims of a provider make of a person here, by the rules of the policy repository.

Every rule that matches applies; of two that say different things, the first does. A claim matches a
value when it is that text, or a list that holds it, compared exactly. Refused: whoever a `deny` rule
matches, a person whom nothing puts in a tenant, and claims that the provider only points to: who
cannot be read might be who a rule keeps out.

Source: OpenID Connect Core §5.1, §5.6.2 (distributed claims); MISSION A9.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from remit.canonical import Json, JsonObject
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.user import normalized_username
from remit.ids import TenantId
from remit.model import ClaimMapping, IdentityProvider

__all__ = ["Profile", "claim_of", "needed_claims", "profile_of"]

_MAX_TEXT = 200
_MAX_USERNAME = 64
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A person as a provider's claims describe them.

    `usernames` are tried in order for a new account. `display_name` is `None` where no claim says it.
    """

    tenant: TenantId
    usernames: tuple[str, ...]
    display_name: str | None
    roles: tuple[str, ...]
    attributes: Mapping[str, str]


def needed_claims(provider: IdentityProvider) -> frozenset[str]:
    """The claims that anything here reads; an ID token that lacks one is not all there is to know."""
    ruled = {name for rule in provider.rules for name in rule.claims}
    return frozenset({"name", provider.username_claim, *provider.attributes.values(), *ruled})


def profile_of(provider: IdentityProvider, subject: str, claims: JsonObject) -> Profile:
    """The person with that `sub`.

    Raises:
        ProviderLoginError: see the module.
    """
    _refuse_distributed(provider, claims)
    rules = [rule for rule in provider.rules if _matches(rule, claims)]
    if any(rule.deny for rule in rules):
        raise ProviderLoginError(Refused.DENIED, "a rule of the repository keeps this person out")
    tenants = [rule.tenant for rule in rules if rule.tenant is not None]
    tenant = tenants[0] if tenants else provider.tenant
    if tenant is None:
        raise ProviderLoginError(Refused.NO_TENANT, "no rule puts this person in a tenant")
    roles = [role for rule in rules for role in rule.roles]
    return Profile(
        tenant=tenant,
        usernames=_usernames(provider, subject, claims),
        display_name=_plain(claims.get("name")),
        roles=tuple(dict.fromkeys(roles)),
        attributes=_attributes(provider, claims, rules),
    )


def claim_of(claims: JsonObject, name: str) -> Json:
    """The claim of that name; else, by its dots, the member inside objects. `None` where there is none."""
    if name in claims:
        return claims[name]
    found: Json = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _refuse_distributed(provider: IdentityProvider, claims: JsonObject) -> None:
    elsewhere = claims.get("_claim_names")
    pointed_to = set(elsewhere) if isinstance(elsewhere, dict) else set()
    missing = [name for name in needed_claims(provider) if claim_of(claims, name) is None]
    if not pointed_to.isdisjoint(name.partition(".")[0] for name in missing):
        raise ProviderLoginError(Refused.USERINFO, "the provider keeps a claim at another place")


def _matches(rule: ClaimMapping, claims: JsonObject) -> bool:
    return all(
        not set(_texts(claim_of(claims, name))).isdisjoint(values)
        for name, values in rule.claims.items()
    )


def _texts(value: Json) -> list[str]:
    """The texts that a claim is; `true` and `12` are compared as they are written."""
    values = value if isinstance(value, list) else [value]
    texts = []
    for one in values:
        if isinstance(one, bool):
            texts.append("true" if one else "false")
        elif isinstance(one, str | int):
            texts.append(str(one))
    return texts


def _attributes(
    provider: IdentityProvider, claims: JsonObject, rules: list[ClaimMapping]
) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for rule in rules:
        for name, value in rule.attributes.items():
            found.setdefault(name, value)
    for name, claim in provider.attributes.items():
        said = claim_of(claims, claim)
        text = None if isinstance(said, list) else _plain(next(iter(_texts(said)), None))
        if text:
            found.setdefault(name, text)
    return MappingProxyType(found)


def _usernames(provider: IdentityProvider, subject: str, claims: JsonObject) -> tuple[str, ...]:
    """The name the provider suggests, as far as it can be one here; the same, made unlike any other."""
    told = claim_of(claims, provider.username_claim)
    text = normalized_username(told) if isinstance(told, str) else ""
    suggested = _NOT_IN_A_NAME.sub("-", text).lstrip("._@+-")[:_MAX_USERNAME] or provider.name
    mark = hashlib.sha256(f"{provider.issuer}\n{subject}".encode()).hexdigest()[:12]
    unlike = f"{suggested[: _MAX_USERNAME - len(mark) - 1]}-{mark}"
    return (suggested, unlike) if text else (unlike,)


def _plain(value: Json) -> str | None:
    if not isinstance(value, str) or not value.isprintable():
        return None
    return value.strip()[:_MAX_TEXT] or None

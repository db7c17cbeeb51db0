"""The way to a provider: what this log-in is known by is kept here, and the browser is sent on.

`state`, `nonce` and the PKCE verifier are random; only digests of the first two and the sealed third
are kept, tied to this browser, this provider and this issuer, for ten minutes. Nothing of the request
is the browser's to say but where to come back to, and that is one of our own paths.

Refused: a provider nobody declared, more of these from one address than a person makes, a provider
whose metadata cannot be had.

Source: OpenID Connect Core §3.1.2.1; RFC 7636 §4; RFC 9700 §2.1.1, §4.4 (mix-up), §4.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, network_of
from remit.identity import provider_store
from remit.identity.circumstances import context_of
from remit.identity.provider_store import PendingLogin
from remit.identity.providers.deps import ProviderDeps
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.providers.strength import acr_to_ask
from remit.ids import UserId, digest, new_secret
from remit.model import IdentityProvider
from remit.tokens.issuer_metadata import IssuerMetadata, discover_openid_provider
from remit.tokens.published import IssuerUnavailableError
from remit.web import Browser
from remit.web.fetch import Reach

__all__ = [
    "Departure",
    "authorization_url",
    "callback_url",
    "count_tries",
    "depart",
    "metadata_of",
    "provider_named",
    "verifier_name",
]

LIFETIME: Final = Seconds(600)
_PER_BROWSER: Final = 8
_WINDOW: Final = Seconds(300)
_PER_WINDOW: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What a log-in is for: to come back to `return_to`, or to be linked to the account `user_id`.

    `anew`: the person is logged in, and has come to prove themselves again.
    """

    return_to: str
    anew: bool = False
    user_id: UserId | None = None


def provider_named(deps: ProviderDeps, name: str) -> IdentityProvider:
    """The provider of that name.

    Raises:
        ProviderLoginError: the repository declares none.
    """
    provider = deps.people.directory.catalog.sign_in.providers.get(name)
    if provider is None:
        raise ProviderLoginError(Refused.UNKNOWN_PROVIDER)
    return provider


def callback_url(deps: ProviderDeps, provider: IdentityProvider) -> str:
    """Where that provider, and no other, sends the browser back (RFC 9700 §4.4.2.2)."""
    return f"{deps.people.site.origin}/login/provider/{provider.name}/callback"


async def metadata_of(deps: ProviderDeps, provider: IdentityProvider) -> IssuerMetadata:
    """What the provider publishes of itself.

    Raises:
        ProviderLoginError: it cannot be had.
    """
    try:
        return await discover_openid_provider(
            deps.published, provider.issuer, reach=Reach(private=provider.private_network)
        )
    except IssuerUnavailableError as error:
        raise ProviderLoginError(Refused.UNAVAILABLE, error.detail, cause=error) from error


async def count_tries(deps: ProviderDeps, request: Request) -> None:
    """Count one more request of this address.

    Raises:
        ProviderLoginError: it made too many.
    """
    now = deps.people.clock.now()
    network = network_of(context_of(request, deps.people.site).network.ip)

    def count(tx: Transaction) -> int:
        return count_attempt(tx, f"provider:{network}", now=now, window=_WINDOW).count

    if await deps.people.database.run(count) > _PER_WINDOW:
        raise ProviderLoginError(Refused.TOO_MANY, "too many log-ins from this address")


async def depart(
    deps: ProviderDeps, provider: IdentityProvider, browser: Browser, departure: Departure
) -> str:
    """Keep a new log-in of `browser`; the URL at the provider to send it to.

    Raises:
        ProviderLoginError: the provider's metadata cannot be had.
    """
    metadata = await metadata_of(deps, provider)
    return_to = departure.return_to
    asked = await deps.freshness(return_to) if return_to else None
    if departure.user_id is not None or departure.anew:
        asked = Seconds(0)  # an identity is linked by somebody who proves it now
    required = await deps.people.required_acr(return_to) if return_to else None
    state, nonce, verifier = new_secret(), new_secret(), new_secret()
    now = deps.people.clock.now()
    login = PendingLogin(
        digest=digest(state),
        browser_digest=browser.digest,
        provider=provider.name,
        issuer=provider.issuer,
        nonce_digest=digest(nonce),
        sealed_verifier=deps.people.box.seal(verifier_name(digest(state)), verifier.encode()),
        return_to=return_to,
        user_id=departure.user_id,
        max_age=asked,
        created_at=now,
        expires_at=EpochSeconds(now + LIFETIME),
    )
    await deps.people.database.run(
        lambda tx: provider_store.add_login(tx, login, per_browser=_PER_BROWSER)
    )
    parameters = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": callback_url(deps, provider),
        "scope": " ".join(dict.fromkeys(("openid", *provider.scopes))),
        "state": state,
        "nonce": nonce,
        "code_challenge": digest(verifier),  # RFC 7636 §4.2: the SHA-256 in base64url
        "code_challenge_method": "S256",
        **_how(deps, provider, asked, required),
    }
    return authorization_url(metadata, parameters)


def authorization_url(metadata: IssuerMetadata, parameters: Mapping[str, str]) -> str:
    """The authorization endpoint with `parameters` added to whatever query it has."""
    endpoint = metadata.authorization_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


def verifier_name(state_digest: str) -> str:
    """What the verifier of a log-in is sealed as: it opens for no other log-in."""
    return f"provider-login:{state_digest}"


def _how(
    deps: ProviderDeps, provider: IdentityProvider, asked: Seconds | None, required: str | None
) -> dict[str, str]:
    """How the person is to prove themselves there. `max_age` is always sent: its answer dates the proof."""
    lifetime = deps.people.directory.catalog.issuer.session_lifetime
    how = {"max_age": str(lifetime if asked is None else asked)}
    if asked == 0:
        how["prompt"] = "login"
    acr = acr_to_ask(provider, required)
    return how if acr is None else how | {"acr_values": acr}

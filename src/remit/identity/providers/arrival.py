"""The way back from a provider: the answer to one log-in, checked in order, until it names a person.

In this order: the log-in is under way in this browser with this provider, and is now used up; the
issuer is still the one it was begun with; `iss`, wherever it is given, is that issuer byte for byte,
and it is given wherever the provider says it always is; the provider did not answer with an error;
the code is redeemed at that issuer's token endpoint alone; the ID token is what was expected; its
claims make a person who may come in.

Source: OpenID Connect Core §3.1.2.5 to §3.1.3.7; RFC 9207 §2.4; RFC 9700 §4.4 (mix-up), §4.5, §4.7; AS-57.
"""

from dataclasses import dataclass, field

from remit.audit.context import Context
from remit.canonical import JsonObject
from remit.clock import Seconds
from remit.db import Transaction
from remit.errors import ConflictError
from remit.identity import provider_store
from remit.identity.opening import Proof
from remit.identity.provider_store import PendingLogin
from remit.identity.providers.claims import all_claims, id_token_of
from remit.identity.providers.departure import callback_url, metadata_of, verifier_name
from remit.identity.providers.deps import ProviderDeps
from remit.identity.providers.id_token import Expected, IdToken
from remit.identity.providers.person import person_of, refresh_token_name
from remit.identity.providers.profile import profile_of
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.providers.strength import proof_of
from remit.identity.providers.token_endpoint import (
    ForeignTokens,
    TokenRequestError,
    request_tokens,
    secret_of,
)
from remit.identity.user import User
from remit.ids import digest
from remit.model import IdentityProvider
from remit.secrets import SealBrokenError, SecretBox
from remit.tokens.issuer_metadata import IssuerMetadata
from remit.web import Browser, Params
from remit.web.fetch import Reach

__all__ = ["Arrival", "person_arriving", "proved_identity", "sealed_refresh_token", "take_login"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Who a provider says is there: its subject, every claim that was had, and how they proved it."""

    subject: str
    proof: Proof
    claims: JsonObject = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    """What the provider may be asked again with, without the person."""


async def take_login(
    deps: ProviderDeps, provider: IdentityProvider, browser: Browser, params: Params
) -> PendingLogin:
    """The log-in that `params` answer, used up by this.

    Raises:
        ProviderLoginError: none is under way by that state in this browser with this provider.
    """
    state, now = params.one("state"), deps.people.clock.now()
    if state is None or browser.is_new:
        raise ProviderLoginError(Refused.STATE, "no log-in of this browser is under way")
    login = await deps.people.database.run(
        lambda tx: provider_store.take_login(
            tx, digest(state), browser_digest=browser.digest, provider=provider.name, now=now
        )
    )
    if login is None:
        raise ProviderLoginError(Refused.STATE, "no log-in of this browser is under way")
    if login.issuer != provider.issuer:
        raise ProviderLoginError(Refused.ISSUER_CHANGED, "the provider's issuer was changed")
    return login


async def proved_identity(
    deps: ProviderDeps, provider: IdentityProvider, login: PendingLogin, params: Params
) -> Arrival:
    """Who the provider says answers `login`.

    Raises:
        ProviderLoginError: see the module.
    """
    metadata = await metadata_of(deps, provider)
    _check_iss(params, login, metadata)
    _refuse_error(params)
    code = params.one("code")
    if code is None:
        raise ProviderLoginError(Refused.NO_CODE, "the answer has neither code nor error")
    tokens = await _redeem(deps, provider, login, metadata, code=code)
    token = await _id_token(deps, provider, login, metadata, tokens=tokens)
    claims = await all_claims(
        deps,
        provider,
        metadata.userinfo_endpoint,
        known=token.claims,
        access_token=tokens.access_token,
    )
    oldest = deps.people.directory.catalog.issuer.session_lifetime
    proof = proof_of(provider, token, now=deps.people.clock.now(), oldest=Seconds(oldest))
    return Arrival(
        subject=token.subject, proof=proof, claims=claims, refresh_token=tokens.refresh_token
    )


async def person_arriving(
    deps: ProviderDeps, provider: IdentityProvider, arrival: Arrival, *, context: Context
) -> User:
    """The account that `arrival` logs in to, made or brought up to date.

    Raises:
        ProviderLoginError: there is none that may come in.
    """
    profile = profile_of(provider, arrival.subject, arrival.claims)
    circumstances = (deps.people.directory.catalog, deps.people.clock.now(), context)
    database = deps.people.database
    sealed = sealed_refresh_token(deps.people.box, provider, arrival)

    def arrive(tx: Transaction) -> User:
        return person_of(
            tx, provider, arrival.subject, profile, circumstances=circumstances, sealed=sealed
        )

    try:
        return await database.run(arrive)
    except ConflictError:  # the same new person twice at once: now there is an account
        return await database.run(arrive)


def sealed_refresh_token(
    box: SecretBox, provider: IdentityProvider, arrival: Arrival
) -> str | None:
    """What came to ask the provider again with, sealed for this subject alone."""
    if arrival.refresh_token is None:
        return None
    name = refresh_token_name(provider.issuer, arrival.subject)
    return box.seal(name, arrival.refresh_token.encode())


def _check_iss(params: Params, login: PendingLogin, metadata: IssuerMetadata) -> None:
    """RFC 9207 §2.4: compared before anything else of the answer is looked at, errors included."""
    iss = params.one("iss")
    if iss is None:
        if metadata.sends_iss:
            raise ProviderLoginError(Refused.ISS_MISSING, "the answer does not say who gives it")
    elif iss != login.issuer:
        raise ProviderLoginError(Refused.ISS_MISMATCH, "the answer is of another issuer")


def _refuse_error(params: Params) -> None:
    error = params.one("error")
    if error == "access_denied":
        raise ProviderLoginError(Refused.CANCELLED, "the person, or the provider, said no")
    if error in {"temporarily_unavailable", "server_error"}:
        raise ProviderLoginError(Refused.UNAVAILABLE, f"the provider answered {error}")
    if error is not None:
        raise ProviderLoginError(Refused.PROVIDER_REFUSED, "the provider answered with an error")


async def _redeem(
    deps: ProviderDeps,
    provider: IdentityProvider,
    login: PendingLogin,
    metadata: IssuerMetadata,
    *,
    code: str,
) -> ForeignTokens:
    try:
        sealed = deps.people.box.open(verifier_name(login.digest), login.sealed_verifier)
    except SealBrokenError as error:  # the master key was changed while somebody logged in
        raise ProviderLoginError(Refused.STATE, error.detail, cause=error) from error
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback_url(deps, provider),
        "code_verifier": sealed.decode(),
    }
    reach = Reach(private=provider.private_network)
    try:
        own = secret_of(provider.client_id, provider.secret, deps.resolve_secret)
        return await request_tokens(deps.post_form, metadata, own, fields=fields, reach=reach)
    except TokenRequestError as error:
        reason = {
            "unavailable": Refused.UNAVAILABLE,
            "misconfigured": Refused.MISCONFIGURED,
            "malformed": Refused.TOKEN_MALFORMED,
        }.get(error.reason, Refused.TOKEN_REFUSED)
        raise ProviderLoginError(reason, f"{error.reason}: {error.detail}", cause=error) from error


async def _id_token(
    deps: ProviderDeps,
    provider: IdentityProvider,
    login: PendingLogin,
    metadata: IssuerMetadata,
    *,
    tokens: ForeignTokens,
) -> IdToken:
    if tokens.id_token is None:
        raise ProviderLoginError(Refused.TOKEN_MALFORMED, "the provider issued no id token")
    expected = Expected(
        issuer=login.issuer,
        client_id=provider.client_id,
        algorithms=metadata.signing_algorithms,
        nonce_digest=login.nonce_digest,
        asked_at=login.created_at,
        max_age=login.max_age,
        access_token=tokens.access_token,
    )
    return await id_token_of(deps, provider, metadata, tokens.id_token, expected=expected)

"""What a provider says of a person, from the tokens that it issued: its ID token, and what that lacks.

The keys are those that the provider publishes; with a key nobody knows they are asked for once more.
What the ID token does not say of all that is read here is asked of the userinfo endpoint, with the
access token that came with it. Refused: an ID token that is not what was expected, and userinfo that
is of somebody else, or cannot be had.

Source: OpenID Connect Core §3.1.3.7, §5.3.2, §12.2.
"""

from remit.canonical import JsonObject, MalformedJsonError, parse_object
from remit.identity.providers.deps import ProviderDeps
from remit.identity.providers.id_token import Expected, IdToken, check_id_token
from remit.identity.providers.profile import claim_of, needed_claims
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.model import IdentityProvider
from remit.tokens.foreign import UnknownKeyError
from remit.tokens.issuer_metadata import IssuerMetadata
from remit.tokens.published_keys import KeyLocation, KeysUnavailableError
from remit.web.fetch import FetchFailedError, FetchRefusedError, Reach

__all__ = ["all_claims", "id_token_of"]


async def id_token_of(
    deps: ProviderDeps,
    provider: IdentityProvider,
    metadata: IssuerMetadata,
    raw: str,
    *,
    expected: Expected,
) -> IdToken:
    """The ID token `raw`, which is what was expected.

    Raises:
        ProviderLoginError: it is not, or the provider's keys cannot be had.
    """
    if metadata.jwks_uri is None:
        raise ProviderLoginError(Refused.TOKEN_MALFORMED, "the provider publishes no keys")
    where = KeyLocation(
        issuer=expected.issuer,
        jwks_uri=metadata.jwks_uri,
        reach=Reach(private=provider.private_network),
    )
    try:
        for find in (deps.keys.keys, deps.keys.keys_anew):
            try:
                return check_id_token(raw, await find(where), expected, now=deps.people.clock.now())
            except UnknownKeyError:
                continue
    except KeysUnavailableError as error:
        raise ProviderLoginError(Refused.UNAVAILABLE, error.detail, cause=error) from error
    raise ProviderLoginError(Refused.ID_TOKEN, "the id token is signed by an unknown key")


async def all_claims(
    deps: ProviderDeps,
    provider: IdentityProvider,
    endpoint: str | None,
    *,
    known: JsonObject,
    access_token: str,
) -> JsonObject:
    """The claims of the ID token, and what it lacks of what we read from the userinfo `endpoint`.

    `known` has at least `sub`.

    INVARIANT: a claim that could be had is never taken for absent, for a rule that keeps somebody
    out may rest on it.

    Raises:
        ProviderLoginError: the userinfo cannot be had, or is not of that `sub`.
    """
    if endpoint is None or all(claim_of(known, one) is not None for one in needed_claims(provider)):
        return known
    try:
        answer = await deps.post_form(
            endpoint,
            {},
            authorization=f"Bearer {access_token}",
            reach=Reach(private=provider.private_network),
        )
        more = parse_object(answer.body) if answer.status == 200 else {}
    except (FetchFailedError, FetchRefusedError, MalformedJsonError) as error:
        raise ProviderLoginError(
            Refused.USERINFO, "the claims cannot be had", cause=error
        ) from error
    if more.get("sub") != known.get("sub"):  # OpenID Connect Core §5.3.2: token substitution
        raise ProviderLoginError(Refused.USERINFO, "the userinfo is of nobody or somebody else")
    return {**more, **known}

"""A token for whom a trusted issuer vouches for: a workload, or a person of an enterprise.

The type in the header says which of the two an assertion was made for, and each has rules of its
own: a workload's assertion speaks for itself, and comes without a client; an ID-JAG is for one
client, which authenticates. One is never taken for the other.

Source: RFC 7523 §2.1, §3.1; draft-ietf-oauth-identity-assertion-authz-grant §4.4; AS-61, AS-69.
"""

from typing import Final

from remit.clock import Seconds
from remit.db.throttle import attempts_of, count_attempt, network_of
from remit.oauth.assertions.trusted_issuer import Purpose, trusted_issuer
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, InvalidRequestError, SlowDownError
from remit.oauth.grants import id_jag, workload_assertion
from remit.oauth.issued_tokens import IssuedTokens
from remit.oauth.token_request import TokenRequest
from remit.tokens.foreign import InvalidForeignJwtError, read_foreign

__all__ = ["issue"]

_WINDOW: Final = Seconds(60)
_ID_JAG: Final = "oauth-id-jag+jwt"


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The access token for whom the assertion vouches for; there is no refresh token.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
    """
    raw = request.form.one("assertion")
    if raw is None:
        raise InvalidRequestError("`assertion` is required")
    if _type_of(raw) == _ID_JAG:
        return await id_jag.issue(deps, request, raw)
    if request.client is not None:
        raise InvalidGrantError("a workload's assertion speaks for itself, without a client")
    return await _issue_to_workload(deps, request, raw)


async def _issue_to_workload(deps: OAuthDeps, request: TokenRequest, raw: str) -> IssuedTokens:
    """As `issue`; assertions that are not good are counted, for nobody has to say who sends them."""
    issuer = trusted_issuer(deps, raw, Purpose.WORKLOAD)
    key = f"assertion:{issuer.name}:{network_of(request.context.network.ip)}"
    await _refuse_if_too_many(deps, key)
    try:
        assertion = await workload_assertion.believed(deps, raw, issuer)
    except InvalidGrantError:
        now = deps.clock.now()
        await deps.database.run(lambda tx: count_attempt(tx, key, now=now, window=_WINDOW))
        raise
    return await workload_assertion.issue(deps, request, issuer=issuer, assertion=assertion)


async def _refuse_if_too_many(deps: OAuthDeps, key: str) -> None:
    now = deps.clock.now()
    attempts = await deps.database.read(lambda tx: attempts_of(tx, key, now=now, window=_WINDOW))
    if attempts.count >= deps.limits.attempts_per_minute:
        raise SlowDownError(
            "too many bad assertions from this address", retry_after=attempts.wait(now, _WINDOW)
        )


def _type_of(raw: str) -> str:
    """What the header says the assertion was made for, as `verify_foreign` reads it."""
    try:
        kind = read_foreign(raw).header.get("typ", "")
    except InvalidForeignJwtError as error:
        raise InvalidGrantError(f"the assertion is refused: {error.detail}", cause=error) from error
    return kind.lower().removeprefix("application/") if isinstance(kind, str) else ""

"""Whether whoever asks for a token has the key that it will be bound to.

Refuses, as `invalid_dpop_proof`, more than one proof and whatever `tokens.dpop` refuses, and a proof
that came before, to whichever process of this Remit; as `use_dpop_nonce`, a nonce that is not good, or a
clock that is off. A nonce is not required: what a proof can get here is spent with it, by whoever has
the code, refresh token or secret besides. A proof is looked at before its client is authenticated, so
that a client that has to repeat its request with a nonce has not spent its assertion; it is remembered
after, so that strangers fill no table.

Source: RFC 9449 §4.3, §5, §8, §11.1; docs/adr/0009-proof-of-possession.md.
"""

from starlette.requests import Request
from starlette.responses import Response

from remit.clock import EpochSeconds, Seconds
from remit.oauth.assertion_store import remember_once
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import Endpoint, InvalidDpopProofError, UseDpopNonceError
from remit.oauth.metadata import TOKEN_PATH
from remit.tokens.dpop import InvalidProofError, NonceNeededError, Occasion, Proof, check_proof

__all__ = ["offering_nonces", "proved_key", "shown_proof"]

_HEADER = "dpop"
_NONCE_HEADER = "DPoP-Nonce"
_REMEMBERED = Seconds(900)
"""Longer than any proof is good: with a nonce as long as that, without one a minute."""


def shown_proof(deps: OAuthDeps, request: Request) -> Proof | None:
    """The proof that came with a token request; `None` when none did.

    Raises:
        UseDpopNonceError: the nonce is not good, or one is needed because a clock is off.
        InvalidDpopProofError: there are several, or it proves nothing.
    """
    values = request.headers.getlist(_HEADER)
    if not values:
        return None
    occasion = Occasion(
        method=request.method, uri=deps.public_url + TOKEN_PATH, now=deps.clock.now()
    )
    try:
        return check_proof(values, occasion, deps.nonces, nonce_required=False)
    except NonceNeededError as error:
        raise UseDpopNonceError(error.detail, cause=error) from error
    except InvalidProofError as error:
        raise InvalidDpopProofError(error.detail, cause=error) from error


async def proved_key(deps: OAuthDeps, proof: Proof | None) -> str | None:
    """The RFC 7638 thumbprint of the key that `proof` proves, once; `None` without a proof.

    Raises:
        InvalidDpopProofError: it was used before.
    """
    if proof is None:
        return None
    signer = f"dpop:{proof.jkt}"
    expires = EpochSeconds(deps.clock.now() + _REMEMBERED)
    first = await deps.database.run(lambda tx: remember_once(tx, signer, proof.jti, expires))
    if not first:
        raise InvalidDpopProofError("the proof was used before")
    return proof.jkt


def offering_nonces(deps: OAuthDeps, endpoint: Endpoint) -> Endpoint:
    """`endpoint`, whose every answer to a request with a proof carries the nonce for the next (§8.2)."""

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        if _HEADER in request.headers:
            response.headers[_NONCE_HEADER] = deps.nonces.at(deps.clock.now())
        return response

    return answer

"""Whether whoever asks for a token has the key that it will be bound to.

Refuses, as `invalid_dpop_proof`, more than one proof and whatever `tokens.dpop` refuses, and a proof
that came before, to whichever process of this Remit; as `use_dpop_nonce`, a nonce that is not good, or a
clock that is off. A nonce is not required: what a proof can get here is spent with it, by whoever has
the code, refresh token or secret besides. A proof is looked at before its client is authenticated, so
that a client that has to repeat its request with a nonce has not spent its assertion; it is remembered
in the transaction that makes the token it is for, so that whoever gets none fills no table.

Source: RFC 9449 §4.3, §5, §8, §11.1; docs/adr/0009-proof-of-possession.md.
"""

from starlette.requests import Request
from starlette.responses import Response

from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.oauth.assertion_store import has_been_seen, remember_once
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import Endpoint, InvalidDpopProofError, UseDpopNonceError
from remit.oauth.metadata import TOKEN_PATH
from remit.tokens.dpop import InvalidProofError, NonceNeededError, Occasion, Proof, check_proof

__all__ = ["offering_nonces", "refuse_used_proof", "shown_proof", "spend_proof"]

_HEADER = "dpop"
_NONCE_HEADER = "DPoP-Nonce"
_USED = "the proof was used before"
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


def spend_proof(tx: Transaction, proof: Proof | None, *, now: EpochSeconds) -> None:
    """Use up the proof that a token is made for; without one there is nothing to use up.

    Of two requests with the same proof it is good for one. Undone with the transaction.

    Raises:
        InvalidDpopProofError: it was used before.
    """
    if proof is None:
        return
    expires = EpochSeconds(now + _REMEMBERED)
    if not remember_once(tx, _signer(proof), proof.jti, expires):
        raise InvalidDpopProofError(_USED)


def refuse_used_proof(tx: Transaction, proof: Proof | None) -> None:
    """Pass unless a token was made for this proof before: then the request is the same one again.

    Raises:
        InvalidDpopProofError: it was used before.
    """
    if proof is not None and has_been_seen(tx, _signer(proof), proof.jti):
        raise InvalidDpopProofError(_USED)


def _signer(proof: Proof) -> str:
    return f"dpop:{proof.jkt}"


def offering_nonces(deps: OAuthDeps, endpoint: Endpoint) -> Endpoint:
    """`endpoint`, whose every answer to a request with a proof carries the nonce for the next (§8.2)."""

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        if _HEADER in request.headers:
            response.headers[_NONCE_HEADER] = deps.nonces.at(deps.clock.now())
        return response

    return answer

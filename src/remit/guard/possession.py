"""Whether whoever brings a token has the key that it is bound to.

Refuses a bound token that comes as a mere bearer, or without a proof that `tokens.dpop` believes, of
the token's own key, made with a nonce of this very process and not seen before; and an unbound one
that comes as if it were bound. A token that was stolen is worth nothing without its key, and a
request that was overheard is worth nothing a second time.

The nonces are those of this process: no other one takes a proof that was made for it, so that what
it remembers is all there is to remember. After a restart the old nonces are good no longer.

Source: RFC 9449 §4.3, §7.1, §7.2, §9, §11.1; docs/adr/0009-proof-of-possession.md.
"""

import secrets

from remit.clock import EpochSeconds
from remit.guard.authorization_header import Presented
from remit.guard.call import RequestProof
from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal
from remit.guard.replay_memory import ReplayMemory, ReplayMemoryFullError
from remit.tokens.access_token import AccessToken
from remit.tokens.dpop import InvalidProofError, NonceNeededError, Occasion, check_proof
from remit.tokens.dpop_nonce import DpopNonces

__all__ = ["Possession"]

_KEY_BYTES = 32


class Possession:
    """Judges the proofs that come to this process."""

    __slots__ = ("_memory", "_nonces")

    def __init__(self, memory: ReplayMemory | None = None) -> None:
        self._nonces = DpopNonces(secrets.token_bytes(_KEY_BYTES))
        self._memory = ReplayMemory() if memory is None else memory

    def refusal(
        self,
        presented: Presented,
        token: AccessToken,
        request: RequestProof | None,
        *,
        now: EpochSeconds,
    ) -> Refusal | None:
        """Why `token` is not good as it was presented in `request`; `None` when it is."""
        if presented.is_dpop and request is not None:
            request.next_nonce = self._nonces.at(now)
        if token.jkt is None:
            if not presented.is_dpop:
                return None
            detail = "the token is bound to no key; it is a bearer token"
            return _refusal(RefusalReason.INVALID_TOKEN, detail, token)
        if not presented.is_dpop:
            detail = "the token is bound to a key; send it as `DPoP`, with a proof"
            return _refusal(RefusalReason.INVALID_TOKEN, detail, token)
        if request is None:
            return _refusal(RefusalReason.INVALID_PROOF, "no proof can be given here", token)
        if request.is_proved(presented.token):
            return None
        return self._judge(presented, token, request, now=now)

    def _judge(
        self, presented: Presented, token: AccessToken, request: RequestProof, *, now: EpochSeconds
    ) -> Refusal | None:
        """The verdict on a proof that nobody has judged."""
        occasion = Occasion(
            method=request.method, uri=request.uri, now=now, access_token=presented.token
        )
        try:
            proof = check_proof(request.values, occasion, self._nonces, nonce_required=True)
            if proof.jkt != token.jkt:
                raise InvalidProofError("the proof is of another key than the token's")  # noqa: TRY301  joins the others below
            window = self._nonces.window_of(proof.nonce or "", now)
            if window is None or not self._memory.admits(proof.id, window=window):
                raise InvalidProofError("the proof was used before")  # noqa: TRY301
        except NonceNeededError as error:
            return _refusal(RefusalReason.NONCE_NEEDED, error.detail, token)
        except InvalidProofError as error:
            return _refusal(RefusalReason.INVALID_PROOF, error.detail, token)
        except ReplayMemoryFullError as error:
            return _refusal(RefusalReason.TOO_MANY_PROOFS, error.detail, token)
        request.note_proved(presented.token)
        return None


def _refusal(reason: RefusalReason, detail: str, token: AccessToken) -> Refusal:
    return Refusal(reason=reason, detail=detail, truth=reason, token=token, dpop=True)

"""Which verified token a request brings, from whoever has its key if it is bound to one.

Refuses, in this order: a malformed `Authorization`; no token; one that does not verify, or is for another resource; one
whose key is not proved.

Source: RFC 6750 §2.1, §3.1; RFC 9449 §7.1.
"""

from dataclasses import replace

from remit.guard.authorization_header import MalformedAuthorizationError, presented_token
from remit.guard.call import Call
from remit.guard.outcome import RefusalReason
from remit.guard.possession import Possession
from remit.guard.refusal import Refusal, refused
from remit.guard.settings import GuardSettings
from remit.model import Catalog
from remit.tokens.access_token import AccessToken
from remit.tokens.audience import audience_of, resource_of
from remit.tokens.verify import InvalidTokenError, TokenVerifier

__all__ = ["PresentedTokens"]


class PresentedTokens:
    """Verifies what calls bring, and remembers the proofs that were used."""

    __slots__ = ("_possession", "_settings", "_verifier")

    def __init__(self, verifier: TokenVerifier, settings: GuardSettings) -> None:
        self._verifier = verifier
        self._settings = settings
        self._possession = Possession()

    def token(self, call: Call, catalog: Catalog) -> AccessToken | Refusal:
        """The token of `call`, which has to be for the server that it is about."""
        server = catalog.server_named(call.server)
        dpop = server is not None and server.dpop_required
        try:
            presented = presented_token(call.authorization)
        except MalformedAuthorizationError as error:
            return refused(RefusalReason.MALFORMED_REQUEST, error.detail)
        if presented is None:
            missing = refused(RefusalReason.MISSING_TOKEN, "an access token is required")
            return replace(missing, dpop=dpop)
        if server is None:
            audience = audience_of(self._settings.public_url, call.server)
        else:
            audience = resource_of(self._settings.public_url, server)
        try:
            token = self._verifier.verify(presented.token, audience=audience)
        except InvalidTokenError as error:
            invalid = refused(RefusalReason.INVALID_TOKEN, error.detail)
            return replace(invalid, dpop=dpop or presented.is_dpop)
        now = self._verifier.clock.now()
        return self._possession.refusal(presented, token, call.proof, now=now) or token

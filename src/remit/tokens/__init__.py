"""Access tokens: what they say, how they are signed, and who is believed.

Refuses every token that is not exactly one of ours: another type, algorithm,
issuer, audience, key; a claim missing or of another type; an expired one.
`tokens.store` keeps the keys and is loaded by the application alone, so that the
guard can verify without a database. Source: RFC 9068; RFC 8725.
"""

from remit.tokens.access_token import AccessToken, Delegate
from remit.tokens.audience import audience_of, is_remits_own, jti_digest, resource_of
from remit.tokens.keys import KeySet, SigningKey
from remit.tokens.mint import mint
from remit.tokens.verify import InvalidTokenError, TokenVerifier

__all__ = [
    "AccessToken",
    "Delegate",
    "InvalidTokenError",
    "KeySet",
    "SigningKey",
    "TokenVerifier",
    "audience_of",
    "is_remits_own",
    "jti_digest",
    "mint",
    "resource_of",
]

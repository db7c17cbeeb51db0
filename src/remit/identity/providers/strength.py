"""What a provider's word about how somebody logged in is worth here.

Nothing, unless the policy repository says that its `amr` is believed: then `phr` (or an `acr` of
that meaning) counts as a passkey, `mfa`, `otp` or `hwk` as two factors, and everything else as a
password. When the person proved it is as long ago as `auth_time` was before the token, by the
provider's own clock; where it gives none, the longest ago that it was allowed to be.

Source: RFC 8176 §2; OpenID Connect EAP ACR Values §2; OpenID Connect Core §2 (`auth_time`), §3.1.2.1 (`max_age`).
"""

from remit.clock import EpochSeconds, Seconds
from remit.identity.opening import Proof
from remit.identity.providers.id_token import IdToken
from remit.identity.session import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT
from remit.model import IdentityProvider

__all__ = ["acr_to_ask", "proof_of"]

_PHISHING_RESISTANT = frozenset({"phr", "phrh"})
_SECOND_FACTOR = frozenset({"mfa", "otp", "hwk"})
_MAX_METHODS = 16


def proof_of(
    provider: IdentityProvider, token: IdToken, *, now: EpochSeconds, oldest: Seconds
) -> Proof:
    """How the person proved who they are, in our terms; `oldest` is the `max_age` that was sent."""
    believed = _plain(token.amr) if provider.believe_amr else ()
    ago = oldest if token.auth_time is None else max(0, token.issued_at - token.auth_time)
    return Proof(
        acr=_acr(believed, token.acr if provider.believe_amr else None),
        amr=believed,
        provider=provider.name,
        auth_time=EpochSeconds(now - ago),
    )


def acr_to_ask(provider: IdentityProvider, required: str | None) -> str | None:
    """The `acr_values` to send, where more than a password is required and its answer is believed."""
    if not provider.believe_amr or required in {None, ACR_PASSWORD}:
        return None
    return "phr" if required == ACR_PHISHING_RESISTANT else "mfa"


def _acr(amr: tuple[str, ...], acr: str | None) -> str:
    if acr in _PHISHING_RESISTANT or _PHISHING_RESISTANT & set(amr):
        return ACR_PHISHING_RESISTANT
    return ACR_MULTI_FACTOR if acr == "mfa" or _SECOND_FACTOR & set(amr) else ACR_PASSWORD


def _plain(methods: tuple[str, ...]) -> tuple[str, ...]:
    """The methods that are short plain words: they go into tokens and the log."""
    plain = (one for one in methods if one.isascii() and one.isprintable() and 0 < len(one) <= 32)
    return tuple(dict.fromkeys(plain))[:_MAX_METHODS]

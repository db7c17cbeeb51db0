"""What a log-in must reach before it may lead back to where a person came from.

Two sides ask: the request that waits (`acr_values`), and the policy repository
(`sign_in.second_factor`). The stronger of them holds.

Source: RFC 9470 §4, §5; OpenID Connect Core §3.1.2.1 (`acr_values`, `max_age`).
"""

from remit.clock import EpochSeconds, Seconds
from remit.identity.passkeys import passkeys_work_at
from remit.identity.session import (
    ACR_MULTI_FACTOR,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    Session,
    satisfies,
    stronger,
)
from remit.model import SecondFactor, SignIn
from remit.web import Site

__all__ = ["FRESH", "can_be_reached", "is_fresh", "least_acr", "meets_policy"]


FRESH = Seconds(600)
"""How old a proof may be, at most, for a change of how somebody logs in."""


def least_acr(required: str | None, sign_in: SignIn) -> str:
    """How strong a log-in with an account of ours has to be; `required` by what waits, if at all."""
    policy = ACR_MULTI_FACTOR if sign_in.second_factor is SecondFactor.REQUIRED else ACR_PASSWORD
    return policy if required is None else stronger(required, policy)


def meets_policy(session: Session, sign_in: SignIn) -> bool:
    """Whether `session` may be used: not one of a password alone, once two factors are required.

    The same holds for one from an identity provider whose word counts as a password here.
    """
    return satisfies(session.acr, least_acr(None, sign_in))


def can_be_reached(acr: str, site: Site) -> bool:
    """Whether everybody can get that strong here, by a second factor that they have or set up.

    A code of an app can be set up by anybody; a passkey, where the browser takes them at all.
    """
    return acr != ACR_PHISHING_RESISTANT or passkeys_work_at(site)


def is_fresh(session: Session, *, max_age: Seconds | None, now: EpochSeconds) -> bool:
    """Whether the person proved who they are at most `max_age` ago."""
    return max_age is None or now - session.auth_time < max_age

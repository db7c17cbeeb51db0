"""How strongly a person must have logged in for a request, and whether they did.

A client names the classes that would do; the weakest of those known here is what is
asked. Refuses a request none of whose classes is known here: no log-in could meet it.

Source: RFC 9470 §4, §5; OpenID Connect Core §3.1.2.1 (`acr_values`); OpenID Connect
Unmet Authentication Requirements §2.
"""

from collections.abc import Iterable

from remit.identity.session import ACR_VALUES, satisfies
from remit.oauth.errors import UnmetAuthenticationRequirementsError

__all__ = ["meets", "required_acr"]


def required_acr(acr_values: Iterable[str]) -> str | None:
    """The weakest authentication that would do; `None` where nothing is asked.

    Raises:
        UnmetAuthenticationRequirementsError: none of `acr_values` is known here.
    """
    asked = frozenset(acr_values)
    if not asked:
        return None
    known = [one for one in ACR_VALUES if one in asked]
    if not known:
        raise UnmetAuthenticationRequirementsError("none of `acr_values` can be had here")
    return known[0]


def meets(acr: str, required: str | None) -> bool:
    """Whether somebody who logged in with `acr` did so strongly enough."""
    return required is None or satisfies(acr, required)

"""How strongly somebody has to log in for a page of this room, said in the address that the log-in leads back to.

Whoever softens it there gains nothing: it is looked at again when they answer.

Source: RFC 9470 §4; OpenID Connect Core §3.1.2.1 (`max_age`).
"""

from typing import Final
from urllib.parse import quote, urlsplit

from remit.approvals.person import Person
from remit.approvals.who_may import Demand
from remit.clock import EpochSeconds, Seconds
from remit.identity import ACR_VALUES, FormSources, RequiredAcr, satisfies
from remit.identity.return_to import safe_return_to
from remit.web import MalformedParametersError, Params, parse_query

__all__ = [
    "PAGE_LINKS",
    "PAGE_PATHS",
    "asked_acr",
    "asked_anew",
    "is_stale",
    "leads_on",
    "local_path",
    "login_path",
    "step_up_path",
]

PAGE_PATHS: Final = ("/approvals", "/access", "/emergency")
"""Where a log-in may lead back to."""

PAGE_LINKS: Final = (
    ("What waits for your answer", "/approvals"),
    ("Access for a while", "/access"),
)
"""How a person gets there from their account."""

_ONWARD: Final = ("/authorize",)


def login_path(return_to: str) -> str:
    """Where to log in, and come back to `return_to`, a path of ours."""
    return f"/login?return_to={quote(return_to, safe='')}"


def is_stale(demand: Demand, person: Person, *, now: EpochSeconds) -> bool:
    """Whether the log-in of `person` is older than `demand` allows."""
    return demand.max_age is not None and person.auth_time < now - demand.max_age


def step_up_path(return_to: str, demand: Demand, person: Person, *, now: EpochSeconds) -> str:
    """Where `person` proves who they are as `demand` asks, and comes back."""
    stale = is_stale(demand, person, now=now)
    is_weak = demand.acr is not None and not satisfies(person.acr, demand.acr)
    wanted = return_to
    if demand.acr is not None:
        wanted = _with(wanted, f"acr={quote(demand.acr, safe='')}")
    if stale:
        wanted = _with(wanted, "anew=1")
    # One more factor makes an old log-in no younger: then all of it is done again.
    return f"{login_path(wanted)}{'&other=1' if stale and is_weak else ''}"


def asked_acr(otherwise: RequiredAcr) -> RequiredAcr:
    """For `identity.IdentityDeps.required_acr`: what our pages ask; elsewhere what `otherwise` says."""

    async def required(return_to: str) -> str | None:
        params = _at_our_page(return_to)
        if params is None:
            return await otherwise(return_to)
        acr = params.one("acr")
        return acr if acr in ACR_VALUES else None

    return required


def asked_anew(return_to: str) -> Seconds | None:
    """How long ago a log-in elsewhere may have been, for what waits there: 0, or `None` for any."""
    params = _at_our_page(return_to)
    return None if params is None or params.one("anew") is None else Seconds(0)


def local_path(params: Params) -> str | None:
    """Where a person goes on to from a page of ours: their answer to a client, or nowhere."""
    return safe_return_to(params.one("return_to"), _ONWARD)


async def leads_on(form_sources: FormSources, return_to: str | None) -> tuple[str, ...]:
    """The CSP sources that a form may lead to which goes on to `return_to`."""
    return () if return_to is None else tuple(await form_sources(return_to))


def _at_our_page(return_to: str) -> Params | None:
    """What the address of a page of ours says, so far as it can be read in one way."""
    parts = urlsplit(return_to)
    if safe_return_to(return_to, PAGE_PATHS) is None:
        return None
    try:
        params = parse_query(parts.query.encode())
        params.one("acr"), params.one("anew")
    except MalformedParametersError:
        return None
    return params


def _with(path: str, what: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{what}"

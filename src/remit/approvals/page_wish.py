"""What people are shown of access that somebody asks to have for a while, before they say yes or no.

Who asks, for what of the catalog, for how long, and why in their own words. `digest` of the words is
what an answer is about, as with a call.

Source: MISSION C4; docs/adr/0025-cures.md.
"""

from dataclasses import dataclass
from typing import Final

from remit.approvals.access import Access
from remit.approvals.page_call import Parties, justification_title
from remit.approvals.page_time import Moment, length, moment
from remit.approvals.page_words import Piece, pieces
from remit.approvals.request import Request
from remit.model import AccessOffer, Catalog, Sensitivity
from remit.web import render

__all__ = ["WishView", "wish_view"]

_TEXT: Final = "approvals/wish_text.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class WishView:
    """All that the page says of it."""

    title: str
    offer: str
    role: str | None
    scopes: tuple[str, ...]
    level: str
    servers: tuple[str, ...]
    environments: tuple[str, ...]
    person: str | None
    username: str | None
    agent: tuple[Piece, ...]
    agent_id: str
    agent_owner: str
    organisation: str
    justification: tuple[tuple[str, tuple[Piece, ...]], ...]
    ticket: tuple[Piece, ...]
    lasts: str
    until: Moment | None
    asked: Moment
    expires: Moment

    @property
    def text(self) -> str:
        """What is said yes or no to, as HTML."""
        return render(_TEXT, {"view": self})


def wish_view(request: Request, access: Access, parties: Parties, *, catalog: Catalog) -> WishView:
    """What to show of `access`, which `request` is about."""
    offer = catalog.approvals.access.get(access.offer)
    agent = None if access.agent_id is None else catalog.agents.get(access.agent_id)
    tenant = catalog.tenants.get(access.tenant)
    given = access.role or access.offer
    return WishView(
        title=f"{given} for {length(access.seconds)}",
        offer=access.offer,
        role=access.role,
        scopes=tuple(_scope(one, catalog) for one in _scopes(access, catalog)),
        level=_level(access, catalog),
        servers=tuple(str(one) for one in offer.servers) if offer else (),
        environments=_environments(offer),
        person=parties.person,
        username=parties.username,
        agent=() if agent is None else pieces(agent.name),
        agent_id=access.agent_id or "",
        agent_owner="" if agent is None else agent.owner,
        organisation=access.tenant if tenant is None else tenant.name,
        justification=tuple(
            (justification_title(name, catalog.approvals.justifications), pieces(text))
            for name, text in access.justification.items()
        ),
        ticket=pieces(access.ticket),
        lasts=length(access.seconds),
        until=None if access.until is None else moment(access.until),
        asked=moment(access.requested_at),
        expires=moment(request.expires_at),
    )


def _scopes(access: Access, catalog: Catalog) -> tuple[str, ...]:
    role = None if access.role is None else catalog.roles.get(access.role)
    return tuple(dict.fromkeys((*access.scopes, *(() if role is None else role.scopes))))


def _scope(name: str, catalog: Catalog) -> str:
    known = {str(one): definition for one, definition in catalog.scopes.items()}.get(name)
    return name if known is None else f"{known.title} ({name})"


def _level(access: Access, catalog: Catalog) -> str:
    """The sensitivity of the most sensitive of what it opens."""
    known = {str(one): definition for one, definition in catalog.scopes.items()}
    levels = [known[one].sensitivity for one in _scopes(access, catalog) if one in known]
    return max(levels, key=lambda one: one.rank, default=Sensitivity.HIGH).value


def _environments(offer: AccessOffer | None) -> tuple[str, ...]:
    return () if offer is None else tuple(str(one) for one in offer.environments)

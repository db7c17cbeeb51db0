"""Who is at the other end of a request, as the audit log wants to know it.

It decides nothing, and nothing is decided on it but for the address a policy may ask about.
"""

from starlette.requests import Request

from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.ids import ClientId, UserId
from remit.web import Site, peer_of

__all__ = ["acting_client", "acting_user", "circumstances_of"]


def circumstances_of(request: Request, site: Site) -> Context:
    """What the network tells of `request`; the actor is not known yet."""
    peer = peer_of(request.scope, site.trusted_proxies)
    return Context(
        actor=Actor(ActorType.ANONYMOUS),
        network=Network(peer.ip, peer.user_agent, site.zones(peer.ip), peer.hops),
        trace=Trace(peer.trace_id, peer.span_id, peer.flags),
    )


def acting_client(context: Context, client_id: ClientId) -> Context:
    """`context`, in which a client that proved itself acts."""
    return context.with_(actor=Actor(ActorType.CLIENT, client_id), client_id=client_id)


def acting_user(context: Context, user_id: UserId, tenant: str) -> Context:
    """`context`, in which a person who is logged in acts."""
    return context.with_(actor=Actor(ActorType.USER, user_id), user_id=user_id, tenant=tenant)

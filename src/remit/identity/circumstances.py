"""What events and sessions say of the browser behind a request."""

from starlette.requests import Request

from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.identity.user import User
from remit.web import Site, peer_of

__all__ = ["acting", "context_of"]


def context_of(request: Request, site: Site) -> Context:
    """Somebody, from where `request` came."""
    peer = peer_of(request.scope, site.trusted_proxies)
    return Context(
        actor=Actor(ActorType.ANONYMOUS),
        network=Network(peer.ip, peer.user_agent, site.zones(peer.ip), peer.hops),
        trace=Trace(peer.trace_id, peer.span_id, peer.flags),
    )


def acting(context: Context, user: User) -> Context:
    """`context`, in which `user` acts."""
    return context.with_(actor=Actor(ActorType.USER, user.id), tenant=user.tenant, user_id=user.id)

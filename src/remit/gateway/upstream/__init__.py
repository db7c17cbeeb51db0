"""The servers behind the gateway: one port, two adapters.

`Upstream` speaks modern requests one at a time and opens legacy sessions;
`StreamableHttp` and `Stdio` are the two ways there.
"""

from remit.gateway.upstream.http import StreamableHttp
from remit.gateway.upstream.port import Outgoing, Reply, Upstream, UpstreamSession
from remit.gateway.upstream.roster import Roster, Upstreams
from remit.gateway.upstream.stdio import Stdio

__all__ = [
    "Outgoing",
    "Reply",
    "Roster",
    "Stdio",
    "StreamableHttp",
    "Upstream",
    "UpstreamSession",
    "Upstreams",
]

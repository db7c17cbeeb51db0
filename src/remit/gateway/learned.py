"""The guard, asked only once what a call is about has been seen: its definition, if it can be learned.

Who brings no good token has nothing asked on their account: a stranger starts no process and sends nothing up.
"""

from remit.audit.port import Receipt
from remit.gateway.definitions import DefinitionWatch
from remit.gateway.ports import Enforcement
from remit.guard.call import Call, CallResult
from remit.guard.outcome import Challenge, Deny, Permit
from remit.guard.ports import Directory
from remit.guard.records import SELF_TEST
from remit.guard.visible import Visible
from remit.ids import ServerName
from remit.model import Server
from remit.tokens.access_token import AccessToken

__all__ = ["LearnedFirst"]


class LearnedFirst:
    """Implements `Enforcement` over another."""

    def __init__(self, guard: Enforcement, watch: DefinitionWatch, directory: Directory) -> None:
        self._guard = guard
        self._watch = watch
        self._directory = directory

    async def authenticate(
        self, call: Call, *, counted: bool = False
    ) -> AccessToken | Challenge | Deny:
        return await self._guard.authenticate(call, counted=counted)

    def backs(self, token: AccessToken) -> bool:
        return self._guard.backs(token)

    async def decide(self, call: Call) -> Permit | Challenge | Deny:
        server = self._server(call.server)
        # The self-test asks nothing of a server: what it tries is refused whatever the definition is.
        asks = call.authorization and call.context.actor is not SELF_TEST
        if server is not None and asks and self._watch.lacks(server, call.kind, call.name):
            caller = await self._guard.authenticate(call)
            if not isinstance(caller, AccessToken):
                return caller
            await self._watch.ready(server, call.kind, call.name)
        return await self._guard.decide(call)

    async def visible(self, call: Call) -> Visible | Challenge | Deny:
        return await self._guard.visible(call)

    async def complete(self, permit: Permit, call: Call, *, result: CallResult) -> Receipt | None:
        return await self._guard.complete(permit, call, result=result)

    def _server(self, name: ServerName) -> Server | None:
        return self._directory.catalog.servers.get(name)

"""Who sends an authorization request, and where its answer may go: what must hold before any redirect.

Refuses, with a page: a client that is missing, repeated, unknown, disabled, or of no
agent; a redirect URI that is not its own; a client that waits for approval.

Source: O21 §4.1.2.1, §2.3.5; AS-11, AS-44.
"""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.errors import Error
from remit.model import Agent
from remit.oauth.authorization_request import ReturnAddress, UnusableRequestError, return_address
from remit.oauth.client import Client, ClientStatus
from remit.oauth.client_lookup import find_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError
from remit.oauth.grant_holder import agent_of
from remit.oauth.redirect_uri import is_loopback
from remit.web import Params

__all__ = ["AwaitsApprovalError", "Requester", "find_requester"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """A known client, the agent it is, and a checked place for the answer."""

    client: Client
    agent: Agent
    back: ReturnAddress
    is_registered: bool
    """Whether the repository claims this client for an agent, and so vouches for its redirect URIs."""

    @property
    def is_trusted_place(self) -> bool:
        """Whether an answer may go there without a person having done anything (AS-14)."""
        return self.is_registered or is_loopback(self.back.redirect_uri)


class AwaitsApprovalError(Error):
    """The client may do nothing until an administrator says yes. `requester` is who it would be."""

    code = "unauthorized_client"

    def __init__(self, requester: Requester) -> None:
        super().__init__("the client waits for approval")
        self.requester = requester


async def find_requester(deps: OAuthDeps, params: Params, *, context: Context) -> Requester:
    """The requester that `params` name.

    Raises:
        UnusableRequestError: see the module.
        AwaitsApprovalError: the client is known, and may not act yet.
        SlowDownError: the host of a metadata document was asked too often of late.
    """
    named = params.all("client_id")
    if len(named) != 1:
        raise UnusableRequestError(
            "`client_id` is repeated" if named else "`client_id` is required"
        )
    try:
        client = await find_client(deps, named[0], context=context)
    except InvalidClientError as error:
        raise UnusableRequestError(error.detail, error="invalid_client") from error
    agent = None if client is None else agent_of(client, deps)
    if client is None or agent is None:
        raise UnusableRequestError("the client is unknown", error="invalid_client")
    requester = Requester(
        client=client,
        agent=agent,
        back=return_address(params, client),
        is_registered=agent.id != deps.directory.catalog.unregistered.id,
    )
    if client.status is not ClientStatus.ADMITTED:
        raise AwaitsApprovalError(requester)
    return requester

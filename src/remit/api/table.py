"""Every operation that is answered, in the order of the documentation."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.api.access import ACCESS_OPERATIONS
from remit.api.agents import AGENT_OPERATIONS
from remit.api.allowed import ALLOWED_OPERATIONS
from remit.api.approvals import APPROVAL_OPERATIONS
from remit.api.bundles import BUNDLE_OPERATIONS
from remit.api.clients import CLIENT_OPERATIONS
from remit.api.custody import CUSTODY_OPERATIONS
from remit.api.deputies import DEPUTY_OPERATIONS
from remit.api.elevations import ELEVATION_OPERATIONS
from remit.api.explanation import EXPLANATION_OPERATIONS
from remit.api.grants import GRANT_OPERATIONS
from remit.api.guards.listing import GUARD_OPERATIONS
from remit.api.history import HISTORY_OPERATIONS
from remit.api.identities import IDENTITY_OPERATIONS
from remit.api.instance import INSTANCE_OPERATIONS
from remit.api.keys import KEY_OPERATIONS
from remit.api.operation import AnyOperation
from remit.api.plans import PLAN_OPERATIONS
from remit.api.preview import PREVIEW_OPERATIONS
from remit.api.proposals import PROPOSAL_OPERATIONS
from remit.api.reachable import REACHABLE_OPERATIONS
from remit.api.registrations import REGISTRATION_OPERATIONS
from remit.api.secrets import SECRET_OPERATIONS
from remit.api.servers import SERVER_OPERATIONS
from remit.api.sessions import SESSION_OPERATIONS
from remit.api.sinks import SINK_OPERATIONS
from remit.api.tlog import TLOG_OPERATIONS
from remit.api.trail import TRAIL_OPERATIONS
from remit.api.trail_export import EXPORT_OPERATIONS
from remit.api.trail_search import SEARCH_OPERATIONS
from remit.api.users import USER_OPERATIONS

__all__ = ["OPERATIONS", "Endpoint", "routes_of"]

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    *AGENT_OPERATIONS,
    *CLIENT_OPERATIONS,
    *REGISTRATION_OPERATIONS,
    *GRANT_OPERATIONS,
    *USER_OPERATIONS,
    *IDENTITY_OPERATIONS,
    *ALLOWED_OPERATIONS,
    *SESSION_OPERATIONS,
    *KEY_OPERATIONS,
    *SECRET_OPERATIONS,
    *GUARD_OPERATIONS,
    *SERVER_OPERATIONS,
    *HISTORY_OPERATIONS,
    *TRAIL_OPERATIONS,
    *TLOG_OPERATIONS,
    *PREVIEW_OPERATIONS,
    *CUSTODY_OPERATIONS,
    *SEARCH_OPERATIONS,
    *EXPORT_OPERATIONS,
    *EXPLANATION_OPERATIONS,
    *SINK_OPERATIONS,
    *REACHABLE_OPERATIONS,
    *APPROVAL_OPERATIONS,
    *ELEVATION_OPERATIONS,
    *DEPUTY_OPERATIONS,
    *ACCESS_OPERATIONS,
    *BUNDLE_OPERATIONS,
    *PROPOSAL_OPERATIONS,
    *PLAN_OPERATIONS,
    *INSTANCE_OPERATIONS,
)


def routes_of(endpoint_of: Callable[[AnyOperation], Endpoint]) -> list[Route]:
    """One route for each path, so that a 405 names every method that is answered there."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for operation in OPERATIONS:
        entry = operation.entry
        paths.setdefault(entry.path, {})[entry.method] = endpoint_of(operation)
    return [
        Route(path, _by_method(endpoints), methods=list(endpoints))
        for path, endpoints in paths.items()
    ]


def _by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        # Starlette answers HEAD wherever GET is.
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return endpoint

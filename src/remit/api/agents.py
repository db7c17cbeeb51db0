"""Agents: listed and shown as the repository declares them, suspended, resumed."""

from starlette.requests import Request
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import Body, administrator, route
from remit.canonical import JsonObject
from remit.errors import NotFoundError
from remit.ids import AgentId
from remit.registry import AgentListing, list_agents, resume_agent, suspend_agent, suspensions

__all__ = ["agent_routes"]


def agent_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/agents`."""

    async def listed() -> tuple[AgentListing, ...]:
        return list_agents(deps.directory.catalog, await deps.database.read(suspensions))

    async def one(agent_id: str) -> JsonObject:
        found = next((each for each in await listed() if each.agent.id == agent_id), None)
        if found is None:
            raise NotFoundError("there is no such agent in the repository")
        return _shown(found)

    async def index(_request: Request) -> JsonObject:
        return {"agents": [_shown(each) for each in await listed()]}

    async def show(request: Request) -> JsonObject:
        return await one(request.path_params["agent"])

    async def suspend(request: Request) -> JsonObject:
        agent_id = AgentId(request.path_params["agent"])
        reason = await _reason(request)
        await deps.database.run(
            lambda tx: suspend_agent(
                tx,
                agent_id,
                reason=reason,
                catalog=deps.directory.catalog,
                now=deps.clock.now(),
                context=administrator(request),
            )
        )
        await deps.publish()
        return await one(agent_id)

    async def resume(request: Request) -> JsonObject:
        agent_id = AgentId(request.path_params["agent"])
        reason = await _reason(request)
        await deps.database.run(
            lambda tx: resume_agent(
                tx,
                agent_id,
                reason=reason,
                catalog=deps.directory.catalog,
                context=administrator(request),
            )
        )
        await deps.publish()
        # An agent that was taken out of the repository can be resumed, but not shown.
        known = any(each.agent.id == agent_id for each in await listed())
        return await one(agent_id) if known else {"id": agent_id, "state": "active"}

    return [
        route("GET", "/v1/agents", index),
        route("GET", "/v1/agents/{agent}", show),
        route("POST", "/v1/agents/{agent}/suspend", suspend),
        route("POST", "/v1/agents/{agent}/resume", resume),
    ]


async def _reason(request: Request) -> str:
    body = await Body.read(request)
    reason = body.text("reason", default="")
    body.finish()
    return reason


def _shown(listing: AgentListing) -> JsonObject:
    agent, suspension = listing.agent, listing.suspension
    return {
        "id": agent.id,
        "name": agent.name,
        "class": agent.agent_class.value,
        "owner": agent.owner,
        "purpose": agent.purpose,
        "max_sensitivity": agent.max_sensitivity.value,
        "scopes": list(agent.scopes),
        "environments": list(agent.environments),
        "tenants": list(agent.tenants),
        "static_clients": [client.client_id for client in agent.clients.static],
        "metadata_documents": list(agent.clients.metadata_documents),
        "dynamic_redirect_uris": list(agent.clients.dynamic_redirect_uris),
        "state": "active" if suspension is None else "suspended",
        "suspended_at": None if suspension is None else suspension.suspended_at,
        "suspended_by": None if suspension is None else suspension.changed_by,
        "suspended_for": None if suspension is None else suspension.reason,
    }

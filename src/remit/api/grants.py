"""Grants: listed by whom they are for, and revoked."""

from starlette.requests import Request
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import Body, administrator, read_query, route, switch
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.identity import list_users, require_user
from remit.ids import AgentId, ClientId, GrantId
from remit.oauth import Grant, GrantFilter, find_grant, list_grants, revoke_grant

__all__ = ["grant_routes"]


def grant_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/grants`."""

    async def index(request: Request) -> JsonObject:
        params = read_query(request, "user", "agent", "client", "all")
        user, agent, client = (params.one(name) for name in ("user", "agent", "client"))
        every = switch(params, "all")
        now = deps.clock.now()

        def find(tx: Transaction) -> list[JsonObject]:
            wanted = GrantFilter(
                user_id=None if user is None else require_user(tx, user).id,
                agent_id=None if agent is None else AgentId(agent),
                client_id=None if client is None else ClientId(client),
                live_at=None if every else now,
            )
            names = {each.id: each.username for each in list_users(tx)}
            return [
                _shown(grant, names.get(grant.user_id) if grant.user_id else None, now=now)
                for grant in list_grants(tx, wanted)
            ]

        return {"grants": list(await deps.database.read(find))}

    async def revoke(request: Request) -> JsonObject:
        body = await Body.read(request)
        reason = body.text("reason", default="")
        body.finish()
        grant_id = GrantId(request.path_params["grant"])
        now = deps.clock.now()

        def end(tx: Transaction) -> Grant:
            context = administrator(request)
            ended = revoke_grant(tx, grant_id, reason=reason, at=now, context=context)
            if ended is None:
                if find_grant(tx, grant_id) is None:
                    raise NotFoundError("there is no such grant")
                raise ConflictError("the grant is revoked already")
            return ended

        ended = await deps.database.run(end)
        await deps.publish()
        return _shown(ended, None, now=now)

    return [
        route("GET", "/v1/grants", index),
        route("POST", "/v1/grants/{grant}/revoke", revoke),
    ]


def _shown(grant: Grant, username: str | None, *, now: EpochSeconds) -> JsonObject:
    return {
        "id": grant.id,
        "kind": grant.kind.value,
        "user_id": grant.user_id,
        "username": username,
        "client_id": grant.client_id,
        "agent_id": grant.agent_id,
        "tenant": grant.tenant,
        "environment": grant.environment,
        "resource": grant.resource,
        "scopes": list(grant.scopes),
        "purpose": grant.purpose,
        "created_at": grant.created_at,
        "last_used_at": grant.last_used_at,
        "expires_at": grant.expires_at,
        "revoked_at": grant.revoked_at,
        "revoke_reason": grant.revoke_reason,
        "state": _state(grant, now),
    }


def _state(grant: Grant, now: EpochSeconds) -> str:
    if grant.revoked_at is not None:
        return "revoked"
    return "active" if grant.is_live(now) else "expired"

"""People: listed, created, disabled, enabled."""

from starlette.requests import Request
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import Body, administrator, route
from remit.canonical import JsonObject
from remit.db import Transaction
from remit.identity import (
    User,
    UserDetails,
    create_user,
    disable_user,
    enable_user,
    list_users,
)
from remit.ids import TenantId
from remit.oauth import GrantFilter, revoke_grants

__all__ = ["user_routes"]


def user_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/users`."""

    async def index(_request: Request) -> JsonObject:
        found = await deps.database.read(list_users)
        return {"users": [_shown(user) for user in found]}

    async def create(request: Request) -> JsonObject:
        body = await Body.read(request)
        details = UserDetails(
            username=body.text("username"),
            tenant=TenantId(body.text("tenant")),
            display_name=body.text("display_name", default=""),
            roles=body.texts("roles"),
            attributes=body.pairs("attributes"),
        )
        password = body.text("password")
        body.finish()
        # Before the transaction: hashing takes a tenth of a second.
        password_hash = await deps.passwords.hash_new(password, username=details.username)
        user = await deps.database.run(
            lambda tx: create_user(
                tx,
                details,
                password_hash=password_hash,
                catalog=deps.directory.catalog,
                now=deps.clock.now(),
                context=administrator(request),
            )
        )
        return _shown(user)

    async def disable(request: Request) -> JsonObject:
        body = await Body.read(request)
        reason = body.text("reason", default="")
        body.finish()
        name, now, context = request.path_params["user"], deps.clock.now(), administrator(request)

        def work(tx: Transaction) -> User:
            user = disable_user(tx, name, reason=reason, now=now, context=context)
            # What they granted ends with them; enabling the account does not bring it back.
            theirs = GrantFilter(user_id=user.id)
            revoke_grants(tx, theirs, reason="account_disabled", at=now, context=context)
            return user

        user = await deps.database.run(work)
        await deps.publish()
        return _shown(user)

    async def enable(request: Request) -> JsonObject:
        (await Body.read(request)).finish()
        user = await deps.database.run(
            lambda tx: enable_user(tx, request.path_params["user"], context=administrator(request))
        )
        await deps.publish()
        return _shown(user)

    return [
        route("GET", "/v1/users", index),
        route("POST", "/v1/users", create),
        route("POST", "/v1/users/{user}/disable", disable),
        route("POST", "/v1/users/{user}/enable", enable),
    ]


def _shown(user: User) -> JsonObject:
    return {
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "tenant": user.tenant,
        "roles": list(user.roles),
        "attributes": dict(user.attributes),
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        "state": "active" if user.disabled_at is None else "disabled",
    }

"""Whose access is asked for, and who reviews: the person, or the agent that acts for itself, of the token.

Refused: a token that was handed on, since whoever it was handed to would ask in another's name; over HTTP, to ask for
anybody else; at the socket, to name nobody. Whoever asks for another at the socket proved nothing of that one, so that
what takes a log-in of a certain strength is not had so; and a review takes somebody who logged in.
"""

from typing import Final

from remit.api.administrator import Administrator, ForbiddenError
from remit.api.deps import ApiDeps
from remit.api.problems import BadRequestError
from remit.approvals.access import Holder, HolderKind
from remit.approvals.person import Person
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.guard.limits import is_workload
from remit.identity import find_user, require_user, subject_of
from remit.ids import AgentId, UserId
from remit.tokens import AccessToken

__all__ = ["holder_of", "reviewer_of"]

_AGENT: Final = "agent:"
_NOBODY: Final = "there is no account of that name"


async def holder_of(deps: ApiDeps, by: Administrator, named: str | None) -> Holder:
    """Whose access it is that `by` asks about; `named` is a user's id or name, or `agent:` and an agent's id.

    Raises:
        ForbiddenError: a token that was handed on, or somebody else is named.
        BadRequestError: at the socket nobody is named.
        NotFoundError: there is no account of that name.
    """
    if by.token is not None:
        if named is not None:
            raise ForbiddenError("a token asks for whoever it is of, and for nobody else")
        return await deps.database.read(lambda tx: _of_token(tx, _own(by.token), deps))
    if named is None:
        raise BadRequestError("`holder` is missing: at the socket it says whose it is to be")
    return await deps.database.read(lambda tx: _named(tx, named, deps))


async def reviewer_of(deps: ApiDeps, by: Administrator) -> Person:
    """The person whose token it is.

    Raises:
        ForbiddenError: it is no person's own token.
    """
    if by.token is None or is_workload(by.token):
        raise ForbiddenError("a review takes a person who logged in: use the page, or a token")
    token = _own(by.token)

    def find(tx: Transaction) -> Person:
        user = find_user(tx, UserId(token.sub))
        if user is None or user.disabled_at is not None:
            raise NotFoundError(_NOBODY)
        return Person(
            user_id=user.id,
            username=user.username,
            tenant=user.tenant,
            roles=subject_of(user, deps.directory.catalog).roles,
            acr=token.acr or "",
            auth_time=token.auth_time or EpochSeconds(0),
        )

    return await deps.database.read(find)


def _own(token: AccessToken | None) -> AccessToken:
    if token is None or token.actors:
        raise ForbiddenError("this takes a token of one's own, not one that was handed on")
    return token


def _of_token(tx: Transaction, token: AccessToken, deps: ApiDeps) -> Holder:
    if is_workload(token):
        return _agent(AgentId(token.sub), deps)
    user = find_user(tx, UserId(token.sub))
    if user is None:
        raise NotFoundError(_NOBODY)
    return Holder(
        kind=HolderKind.USER,
        id=user.id,
        tenant=user.tenant,
        username=user.username,
        roles=subject_of(user, deps.directory.catalog).roles,
        acr=token.acr,
        auth_time=token.auth_time,
        client_id=token.client_id,
    )


def _named(tx: Transaction, named: str, deps: ApiDeps) -> Holder:
    if named.startswith(_AGENT):
        return _agent(AgentId(named.removeprefix(_AGENT)), deps)
    user = require_user(tx, named)
    roles = subject_of(user, deps.directory.catalog).roles
    return Holder(
        kind=HolderKind.USER, id=user.id, tenant=user.tenant, username=user.username, roles=roles
    )


def _agent(agent_id: AgentId, deps: ApiDeps) -> Holder:
    agent = deps.directory.catalog.agents.get(agent_id)
    if agent is None or len(agent.tenants) != 1:
        raise NotFoundError(_NOBODY)
    return Holder(kind=HolderKind.AGENT, id=agent.id, tenant=agent.tenants[0])

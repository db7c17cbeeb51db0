"""Who answers through the API: a person with a token of their own, from a log-in later than what they answer.

Refused: an agent that acts for itself, a token that was handed on, software that decides by itself or that nobody
registered, and the very agent, or a client of it, that asked. A token says who logged in, not who reads: so what was asked after
that log-in is answered on the page, or with a new log-in, and nothing that holds a token answers what comes later.
At the socket nobody has logged in, so nobody answers there. A confirmation is given on the page alone.

Source: docs/adr/0025-cures.md, "Who may answer"; MISSION C2.
"""

from typing import Final

from remit.api.administrator import Administrator, ForbiddenError
from remit.api.deps import ApiDeps
from remit.approvals.errors import StrongerAuthenticationNeededError
from remit.approvals.person import Person
from remit.approvals.request import Request
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.guard.limits import is_workload
from remit.guard.standing import agent_of
from remit.identity import User, find_user, require_user, subject_of
from remit.ids import UserId
from remit.model import AgentClass
from remit.tokens import AccessToken

__all__ = ["page_of_request", "person_asking", "person_named", "require_answerer"]

_DECIDE_BY_THEMSELVES: Final = frozenset(
    {AgentClass.AUTONOMOUS, AgentClass.WORKLOAD, AgentClass.UNREGISTERED}
)


async def person_asking(deps: ApiDeps, by: Administrator) -> Person:
    """The person whose own token it is.

    Raises:
        ForbiddenError: it is none, or software holds it that decides by itself.
        NotFoundError: their account is gone or disabled.
    """
    token = by.token
    if token is None or is_workload(token):
        raise ForbiddenError(f"this takes a person who logged in: {deps.site.public_url}/approvals")
    agent = agent_of(token, deps.directory.catalog)
    if token.actors or agent is None or agent.agent_class in _DECIDE_BY_THEMSELVES:
        raise ForbiddenError("no agent speaks for a person here: log in on the page")

    def find(tx: Transaction) -> Person:
        user = find_user(tx, UserId(token.sub))
        if user is None or user.disabled_at is not None:
            raise NotFoundError("there is no such account")
        return _person(user, deps, acr=token.acr or "", auth_time=token.auth_time)

    return await deps.database.read(find)


async def person_named(deps: ApiDeps, by: Administrator, named: str | None) -> Person:
    """Whose deputies it is about: whoever asks, or, at the socket, whom the operator names. They proved nothing.

    Raises:
        ForbiddenError: somebody else is named, or nobody at the socket.
        NotFoundError: there is no such account.
    """
    if by.token is not None:
        if named is not None:
            raise ForbiddenError("a token speaks for whoever it is of, and for nobody else")
        return await person_asking(deps, by)
    if named is None:
        raise ForbiddenError("at the socket `person` says whose place it is about")
    return await deps.database.read(
        lambda tx: _person(require_user(tx, named), deps, acr="", auth_time=None)
    )


def require_answerer(deps: ApiDeps, token: AccessToken | None, request: Request) -> None:
    """Pass when software that holds `token` may say yes to `request` in its person's name.

    Raises:
        ForbiddenError: it is the software that asked, or the person has to confirm it themselves.
        StrongerAuthenticationNeededError: the log-in is older than the request.
    """
    page = page_of_request(deps, request)
    if token is None or request.user_id == token.sub:
        raise ForbiddenError(f"this is confirmed by whoever logs in, on the page: {page}")
    if (
        token.agent_id in (request.agent_id, *request.actors)
        or token.client_id == request.client_id
    ):
        raise ForbiddenError(f"who asked does not answer: log in on the page: {page}")
    if token.auth_time is None or token.auth_time < request.created_at:
        now = deps.clock.now()
        raise StrongerAuthenticationNeededError(None, Seconds(max(0, now - request.created_at)))


def page_of_request(deps: ApiDeps, request: Request) -> str:
    """Where people see it and answer."""
    return f"{deps.site.public_url}/approvals/{request.id}"


def _person(user: User, deps: ApiDeps, *, acr: str, auth_time: EpochSeconds | None) -> Person:
    return Person(
        user_id=user.id,
        username=user.username,
        tenant=user.tenant,
        roles=subject_of(user, deps.directory.catalog).roles,
        acr=acr,
        auth_time=auth_time or EpochSeconds(0),
    )

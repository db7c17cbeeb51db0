"""Whether whoever holds a grant may still be given tokens from it, and as whom.

Asked at every issuance, because a person, an agent and a repository change while a
grant lives. Refuses when the person is gone, disabled or in another organisation;
when the client is another agent than the one consented to, or none; and leaves it to
`issuance` to say what may still be had.

Source: MISSION A7, E2; O21 §4.3.
"""

from remit.db import Transaction
from remit.guard.issuance import Applicant, agent_named
from remit.identity import find_user, subject_of
from remit.model import Agent, Server
from remit.oauth.client import Client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError
from remit.oauth.grant import Grant, GrantKind
from remit.oauth.resource_indicators import server_at
from remit.oauth.temporary_access import with_temporary_access
from remit.policy import Subject, SubjectKind

__all__ = [
    "agent_of",
    "asked_having",
    "having",
    "holder_of",
    "is_suspended",
    "server_of",
    "workload_subject",
]


def holder_of(
    tx: Transaction, grant: Grant, client: Client, *, deps: OAuthDeps, ip: str | None
) -> Applicant:
    """Who would hold a token of `grant` now.

    Raises:
        InvalidGrantError: nobody who may.
    """
    agent = agent_of(client, deps)
    if agent is None or agent.id != grant.agent_id:
        # The person said yes to that agent. Another one has to ask for itself.
        raise InvalidGrantError("the client is no longer the agent that this was granted to")
    return Applicant(
        subject=_subject(tx, grant, agent, deps),
        agent=agent,
        client_id=client.client_id,
        bounds=client.bounds,
        suspended=is_suspended(agent, deps),
        acr=grant.acr,
        amr=grant.amr,
        auth_time=grant.auth_time,
        ip=ip,
    )


def having(tx: Transaction, applicant: Applicant, server: Server, *, deps: OAuthDeps) -> Applicant:
    """`applicant` with what they have at `server` for a while."""
    catalog = deps.directory.catalog
    return with_temporary_access(tx, applicant, server, accesses=deps.temporary, catalog=catalog)


async def asked_having(applicant: Applicant, server: Server, *, deps: OAuthDeps) -> Applicant:
    """As `having`, before the transaction. What ended by then is found when the token is noted."""
    approvals = deps.directory.catalog.approvals
    if not approvals.access and not approvals.emergency:
        return applicant
    return await deps.database.glance(lambda tx: having(tx, applicant, server, deps=deps))


def server_of(grant: Grant, deps: OAuthDeps) -> Server:
    """The server that `grant` is for.

    Raises:
        InvalidGrantError: it is no longer in the catalog, or has moved to another environment.
    """
    server = server_at(grant.resource, catalog=deps.directory.catalog, public_url=deps.public_url)
    if server is None or server.environment != grant.environment:
        raise InvalidGrantError("the server that this was granted for is no longer there")
    return server


def agent_of(client: Client, deps: OAuthDeps) -> Agent | None:
    """The agent that `client` is, as registered now."""
    return agent_named(client.agent_id, deps.directory.catalog)


def is_suspended(agent: Agent, deps: OAuthDeps) -> bool:
    """Whether somebody stopped this agent."""
    return agent.id in deps.directory.standing.suspended_agents


def workload_subject(agent: Agent) -> Subject | None:
    """A workload as the subject of its own tokens; `None` unless it has exactly one organisation."""
    if len(agent.tenants) != 1:
        return None
    return Subject(kind=SubjectKind.WORKLOAD, id=agent.id, tenant=agent.tenants[0])


def _subject(tx: Transaction, grant: Grant, agent: Agent, deps: OAuthDeps) -> Subject:
    subject = (
        workload_subject(agent) if grant.kind is GrantKind.WORKLOAD else _person(tx, grant, deps)
    )
    if subject is None or subject.tenant != grant.tenant:
        raise InvalidGrantError("whoever this was granted by may no longer grant it")
    return subject


def _person(tx: Transaction, grant: Grant, deps: OAuthDeps) -> Subject | None:
    if grant.user_id is None:
        return None
    user = find_user(tx, grant.user_id)
    if user is None or user.disabled_at is not None:
        return None
    return subject_of(user, deps.directory.catalog)

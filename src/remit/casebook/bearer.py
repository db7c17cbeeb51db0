"""Who calls in a case: the token that issuance would have made for this person, agent and server, unless the case says otherwise.

Refused: an agent, a server or a tenant that is not declared.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

from remit.casebook.case import Asked, Question
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.guard.issuance import Applicant, agent_named, claims_of, narrow
from remit.guard.target import find_target
from remit.guard.temporary_access import TemporaryAccess, scopes_of, with_roles
from remit.ids import ClientId, GrantId, ScopeName, TenantId
from remit.model import AccessOffer, Agent, Catalog, ClientBounds, Server
from remit.policy.evaluation import Subject, SubjectKind
from remit.scopes import fill
from remit.tokens.access_token import AccessToken

__all__ = ["Bearer", "UndeclaredError", "applicant_of", "moment_of", "token_of"]

_CLIENT: Final = ClientId("casebook")
_LIFETIME: Final = 600
_LATER: Final = EpochSeconds(2**40)
_ACR: Final = "urn:remit:acr:pwd"
_AMR: Final = ("pwd",)


class UndeclaredError(Error):
    """What a case is about is not declared in this stage."""

    code: ClassVar[str] = "undeclared"


Bearer = tuple[Applicant, Server, EpochSeconds]
"""For whom a token is made, for which server, and when."""


def applicant_of(question: Question, catalog: Catalog) -> Bearer:
    """Who asks, of which server, and when.

    Raises:
        UndeclaredError: the catalog has no such agent, server, tenant or access.
    """
    agent = agent_named(question.agent, catalog)
    if agent is None:
        raise UndeclaredError(f"no agent `{question.agent}` is declared here")
    server = catalog.servers.get(question.server)
    if server is None:
        raise UndeclaredError(f"no server `{question.server}` is declared here")
    held = tuple(_held(question, server, catalog))
    subject = with_roles(_subject(question, agent, catalog), held, catalog)
    now = moment_of(question, subject.tenant, catalog)
    person = subject.kind is SubjectKind.USER
    clients = agent.clients.static
    applicant = Applicant(
        subject=subject,
        agent=agent,
        client_id=ClientId(clients[0].client_id) if clients else _CLIENT,
        bounds=ClientBounds(),
        acr=(question.acr or _ACR) if person else None,
        amr=(_AMR if question.amr is None else question.amr) if person else (),
        auth_time=EpochSeconds(now - question.auth_age) if person else None,
        ip=question.ip,
        temporary=held,
    )
    return applicant, server, now


def token_of(question: Question, bearer: Bearer, catalog: Catalog) -> AccessToken:
    """The token that the question comes with."""
    applicant, server, now = bearer
    subject, agent = applicant.subject, applicant.agent
    return AccessToken(
        iss="https://casebook.invalid",
        sub=subject.id,
        aud=server.name,
        client_id=applicant.client_id,
        jti="casebook",
        iat=now,
        exp=EpochSeconds(now + _LIFETIME),
        scopes=_scopes(question, bearer, catalog),
        grant_id=GrantId("casebook"),
        agent_id=agent.id,
        organization_id=subject.tenant,
        environment=server.environment,
        sensitivity=agent.max_sensitivity,
        roles=subject.roles,
        attributes=subject.attributes,
        purpose=agent.purpose if question.purpose is None else question.purpose,
        auth_time=applicant.auth_time,
        acr=applicant.acr,
        amr=applicant.amr,
        temporary=scopes_of(applicant.temporary),
    )


def moment_of(question: Question, tenant: TenantId, catalog: Catalog) -> EpochSeconds:
    """When it is asked, by the clock of the person's organisation."""
    return question.at.instant(catalog.tenants[tenant].time_zone)


def _subject(question: Question, agent: Agent, catalog: Catalog) -> Subject:
    person = question.person
    tenant = person.tenant if person is not None else _own_tenant(question, agent)
    if tenant not in catalog.tenants:
        raise UndeclaredError(f"no tenant `{tenant}` is declared here")
    if person is None:
        return Subject(kind=SubjectKind.WORKLOAD, id=agent.id, tenant=tenant)
    return Subject(
        kind=SubjectKind.USER,
        id=person.id,
        tenant=tenant,
        roles=catalog.held_roles(person.roles, person.attributes),
        attributes=person.attributes,
    )


def _held(question: Question, server: Server, catalog: Catalog) -> Iterator[TemporaryAccess]:
    """What the case says is had for a while, as far as it is for this server."""
    approvals = catalog.approvals
    for name in question.access:
        offer = approvals.access.get(name) or approvals.emergency.get(name)
        if offer is None:
            raise UndeclaredError(f"no access `{name}` is declared here")
        servers = offer.servers if isinstance(offer, AccessOffer) else ()
        here = (not servers or server.name in servers) and (
            not offer.environments or server.environment in offer.environments
        )
        if here:
            yield TemporaryAccess(id=name, role=offer.role, scopes=offer.scopes, until=_LATER)


def _own_tenant(question: Question, agent: Agent) -> TenantId:
    if question.tenant is not None:
        return question.tenant
    return agent.tenants[0] if agent.tenants else TenantId("")


def _scopes(question: Question, bearer: Bearer, catalog: Catalog) -> tuple[ScopeName, ...]:
    applicant, server, _ = bearer
    if question.scopes is not None:
        claims = claims_of(applicant, server)
        filled = (fill(scope, claims) for scope in question.scopes)
        return tuple(scope for scope in filled if scope is not None)
    # What the call takes comes first: a token holds only so many.
    wanted: tuple[ScopeName, ...] = ()
    if question.asked is Asked.CALL:
        target = find_target(server, question.kind, question.name)
        wanted = () if target is None else target.scopes
    granted, _ = narrow((*wanted, *server.scopes), applicant, server=server, catalog=catalog)
    return granted

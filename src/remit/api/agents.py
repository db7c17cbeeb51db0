"""Agents: listed and shown as the repository declares them, suspended, resumed.

An agent that acts in several organisations is shown to the administrators of each, and
stopped only by one of all.
"""

from typing import Final

from pydantic import ConfigDict, Field

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Why
from remit.api.paging import Page, Paged, page_of
from remit.errors import NotFoundError
from remit.ids import AgentId
from remit.registry import AgentListing, list_agents, resume_agent, suspend_agent, suspensions

__all__ = ["AGENT_OPERATIONS"]


class AgentShown(Shape):
    """An agent as declared, and whether it is stopped."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    id: str
    name: str
    agent_class: str = Field(alias="class")
    owner: str
    purpose: str
    max_sensitivity: str
    scopes: list[str]
    environments: list[str]
    tenants: list[str]
    static_clients: list[str]
    metadata_documents: list[str]
    dynamic_redirect_uris: list[str]
    state: str
    suspended_at: int | None
    suspended_by: str | None
    suspended_for: str | None


class AgentPage(Page):
    """Agents by id, the unregistered one last."""

    agents: list[AgentShown]


class AgentState(Shape):
    """Whether an agent may act."""

    id: str
    state: str


async def _list(deps: ApiDeps, asked: Asked[Paged, Nothing]) -> AgentPage:
    found = await _listed(deps, asked)
    unregistered = deps.directory.catalog.unregistered.id
    shown, after = page_of(
        found, asked.query, place=lambda one: (int(one.agent.id == unregistered), one.agent.id)
    )
    return AgentPage(agents=[_shown(one, asked.by) for one in shown], next=after)


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> AgentShown:
    return _shown(await _one(deps, asked), asked.by)


async def _suspend(deps: ApiDeps, asked: Asked[Nothing, Why]) -> AgentShown:
    asked.by.require_agent((await _one(deps, asked)).agent)
    agent_id, catalog = AgentId(asked.path["agent"]), deps.directory.catalog
    await deps.database.run(
        lambda tx: suspend_agent(
            tx,
            agent_id,
            reason=asked.body.reason,
            catalog=catalog,
            now=asked.at,
            context=asked.context,
        )
    )
    await deps.publish()
    return _shown(await _one(deps, asked), asked.by)


async def _resume(deps: ApiDeps, asked: Asked[Nothing, Why]) -> AgentState:
    agent_id, catalog = AgentId(asked.path["agent"]), deps.directory.catalog
    # One that was taken out of the repository can be resumed, but is nobody's to see.
    if asked.by.tenant is not None:
        asked.by.require_agent((await _one(deps, asked)).agent)
    await deps.database.run(
        lambda tx: resume_agent(
            tx, agent_id, reason=asked.body.reason, catalog=catalog, context=asked.context
        )
    )
    await deps.publish()
    return AgentState(id=agent_id, state="active")


async def _listed(
    deps: ApiDeps, asked: Asked[Paged, Nothing] | Asked[Nothing, Nothing] | Asked[Nothing, Why]
) -> list[AgentListing]:
    every = list_agents(deps.directory.catalog, await deps.database.read(suspensions))
    return [one for one in every if asked.by.sees_agent(one.agent)]


async def _one(deps: ApiDeps, asked: Asked[Nothing, Nothing] | Asked[Nothing, Why]) -> AgentListing:
    for one in await _listed(deps, asked):
        if one.agent.id == asked.path["agent"]:
            return one
    raise NotFoundError("there is no such agent in the repository")


def _shown(listing: AgentListing, by: Administrator) -> AgentShown:
    agent, suspension = listing.agent, listing.suspension
    return AgentShown(
        id=agent.id,
        name=agent.name,
        agent_class=agent.agent_class.value,
        owner=agent.owner,
        purpose=agent.purpose,
        max_sensitivity=agent.max_sensitivity.value,
        scopes=list(agent.scopes),
        environments=list(agent.environments),
        # In which others it acts is theirs to know.
        tenants=[one for one in agent.tenants if by.sees(one)],
        static_clients=[client.client_id for client in agent.clients.static],
        metadata_documents=list(agent.clients.metadata_documents),
        dynamic_redirect_uris=list(agent.clients.dynamic_redirect_uris),
        state="active" if suspension is None else "suspended",
        suspended_at=None if suspension is None else suspension.suspended_at,
        suspended_by=None if suspension is None else suspension.changed_by,
        suspended_for=None if suspension is None else suspension.reason,
    )


AGENT_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="agents.list", run=_list, query=Paged, body=Nothing, answer=AgentPage),
    Operation(name="agents.show", run=_show, query=Nothing, body=Nothing, answer=AgentShown),
    Operation(name="agents.suspend", run=_suspend, query=Nothing, body=Why, answer=AgentShown),
    Operation(name="agents.resume", run=_resume, query=Nothing, body=Why, answer=AgentState),
)

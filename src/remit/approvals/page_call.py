"""What people are shown of a call before they say yes or no: the very call, in words, and nothing that changes by itself.

The page says what is done and on which system, how much and to whom, by which agent and who answers for it, for which
person, what it comes to, every argument as it will be sent, and what a yes allows for how long. `shown` is
the SHA-256 of these words. Titles and descriptions are the catalog's; names of clients, reasons and arguments are
somebody's own words, and marked as such.

Source: MISSION C1, C2, H3; docs/adr/0025-cures.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.approvals.page_arguments import Shown, shown_arguments
from remit.approvals.page_names import doubtful_letters, look_alike_of
from remit.approvals.page_time import Moment, length, moment
from remit.approvals.page_words import Piece, pieces, plain
from remit.approvals.request import Part, PartKind, Request
from remit.model import (
    Agent,
    Catalog,
    JustificationField,
    Operation,
    Prompt,
    Resource,
    Sensitivity,
    Server,
    Tool,
)
from remit.model.justification import told_in
from remit.policy.evaluation import ResourceKind
from remit.web import render

__all__ = ["CallView", "Parties", "call_view", "justification_title"]

_TEXT: Final = "approvals/call_text.html"

_DOES: Final[Mapping[Operation, str]] = MappingProxyType(
    {
        Operation.READ: "Reads data",
        Operation.WRITE: "Changes data",
        Operation.DELETE: "Deletes data",
        Operation.EXPORT: "Takes data out",
        Operation.EXECUTE: "Sets something going",
        Operation.ADMIN: "Changes how the system itself works",
        Operation.IMPERSONATE: "Acts in somebody else's name",
    }
)
_HARM: Final[Mapping[Sensitivity, str]] = MappingProxyType(
    {
        Sensitivity.LOW: "One such call can do little harm.",
        Sensitivity.MEDIUM: "One such call can do some harm.",
        Sensitivity.HIGH: "One such call can do much harm.",
        Sensitivity.CRITICAL: "One such call can do harm that nobody can undo.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who stands behind the identifiers in a request. The client's name is its own word."""

    person: str | None
    username: str | None
    client: str | None
    client_host: str | None = None
    client_is_registered: bool = False
    """Whether the policy repository declares it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """All that the page says of a call. `warnings` are what speaks against it."""

    title: str
    action: str
    """The title without an amount."""
    name: str
    description: str
    arguments: Shown
    agent: tuple[Piece, ...]
    agent_id: str
    agent_owner: str
    agent_purpose: str
    is_registered: bool
    client: tuple[Piece, ...]
    client_host: str | None
    client_is_registered: bool
    client_is_known: bool
    person: str | None
    username: str | None
    system: str
    server: str
    environment: str
    organisation: str
    effects: tuple[str, ...]
    level: str
    warnings: tuple[str, ...]
    justification: tuple[tuple[str, tuple[Piece, ...]], ...]
    """Each thing that the caller told, under what it tells."""
    rules: tuple[str, ...]
    scopes: tuple[str, ...]
    asked: Moment
    expires: Moment
    holds: str
    by_others: bool

    @property
    def text(self) -> str:
        """What the person says yes or no to, as HTML."""
        return render(_TEXT, {"view": self})


def call_view(request: Request, parties: Parties, *, catalog: Catalog) -> CallView:
    """What to show of `request`; what the catalog knows no longer goes by its name alone."""
    kind, name = request.kind or ResourceKind.TOOL, request.thing
    server = catalog.servers.get(request.server)
    thing = _thing(server, kind, name)
    agent = catalog.agents.get(request.agent_id, catalog.unregistered)
    declared = thing.arguments if isinstance(thing, Tool) else ()
    arguments = shown_arguments(request.arguments or {}, declared)
    sensitivity = Sensitivity.CRITICAL if thing is None else thing.sensitivity
    environment = str(request.environment or "")
    system = str(request.server) if server is None else server.title
    return CallView(
        title=_title(kind, name, arguments),
        action=_action(kind, name),
        name=plain(name),
        description="" if thing is None else thing.description,
        arguments=arguments,
        agent=pieces(agent.name),
        agent_id=agent.id,
        agent_owner=agent.owner,
        agent_purpose=agent.purpose,
        is_registered=agent.id != catalog.unregistered.id,
        client=pieces(parties.client or request.client_id),
        client_host=parties.client_host,
        client_is_registered=parties.client_is_registered,
        client_is_known=parties.client is not None,
        person=parties.person,
        username=parties.username,
        system=system,
        server=request.server,
        environment=environment,
        organisation=_organisation(request, catalog),
        effects=_effects(thing, system=system, environment=environment),
        level=sensitivity,
        warnings=tuple(_warnings(agent, parties, catalog, arguments=arguments, known=thing)),
        justification=_told(request, catalog),
        rules=tuple(dict.fromkeys(part.rule for part in request.parts if part.rule)),
        scopes=_scopes(request.parts, catalog),
        asked=moment(request.created_at),
        expires=moment(request.expires_at),
        holds=length(request.holds),
        by_others=any(part.kind is PartKind.APPROVAL for part in request.parts),
    )


def _thing(server: Server | None, kind: ResourceKind, name: str) -> Tool | Resource | Prompt | None:
    if server is None:
        return None
    if kind is ResourceKind.TOOL:
        return server.tools.get(name)
    if kind is ResourceKind.PROMPT:
        return server.prompts.get(name)
    return next((one for one in server.resources if one.uri == name), None)


def _title(kind: ResourceKind, name: str, arguments: Shown) -> str:
    """A few words for the head of the page: `Refund $1,234.56`, `Read crm://accounts/17`."""
    one = arguments.amounts[0].text if len(arguments.amounts) == 1 else ""
    return f"{_action(kind, name)} {one}".strip()


def _action(kind: ResourceKind, name: str) -> str:
    if kind is ResourceKind.RESOURCE:
        return f"Read {plain(name)}"
    words = plain(name).replace("_", " ").replace("-", " ").replace(".", " ").strip()
    words = f"{words[:1].upper()}{words[1:]}"
    return f"Use the prompt “{words}”" if kind is ResourceKind.PROMPT else words


def _effects(
    thing: Tool | Resource | Prompt | None, *, system: str, environment: str
) -> tuple[str, ...]:
    """What it comes to, as the catalog grades it."""
    where = f"in {system}, {environment}"
    if thing is None:
        return (f"Does something {where} that the catalog does not describe any more.",)
    operation = Operation.READ if isinstance(thing, Prompt) else thing.operation
    effects = [f"{_DOES[operation]} {where}.", _HARM[thing.sensitivity]]
    if thing.data_categories:
        touched = ", ".join(thing.data_categories).replace("-", " ").replace("_", " ")
        effects.append(f"Data that it touches: {touched}.")
    return tuple(effects)


def _warnings(
    agent: Agent,
    parties: Parties,
    catalog: Catalog,
    *,
    arguments: Shown,
    known: Tool | Resource | Prompt | None,
) -> list[str]:
    """What a person should not overlook, worst first."""
    found: list[str] = []
    name = agent.name
    if agent.id == catalog.unregistered.id:
        name = parties.client or name
        found.append("Nobody vouches for this software: it is not registered here.")
    other = look_alike_of(name, agent.id, catalog.agents)
    if other is not None:
        found.append(
            f"Its name looks like that of another agent, “{plain(other.name)}” of {other.owner}."
            " It is not that one."
        )
    elif doubtful_letters(name):
        found.append("Its name has letters of several alphabets, as forged names have.")
    if known is None:
        found.append("The catalog does not describe this any more.")
    if arguments.unreadable:
        found.append(f"No amount can be read from: {', '.join(arguments.unreadable)}.")
    return found


def _scopes(parts: tuple[Part, ...], catalog: Catalog) -> tuple[str, ...]:
    """What it takes beyond what the agent has, in the words of the catalog."""
    asked = dict.fromkeys(part.scope for part in parts if part.scope is not None)
    return tuple(
        f"{catalog.scopes[one].title} ({one})" if one in catalog.scopes else one for one in asked
    )


def _told(request: Request, catalog: Catalog) -> tuple[tuple[str, tuple[Piece, ...]], ...]:
    known = catalog.approvals.justifications
    return tuple(
        (justification_title(name, known), pieces(text))
        for name, text in told_in(request.justification).items()
    )


def justification_title(name: str, known: Mapping[str, JustificationField]) -> str:
    """What is told under `name`, as people say it."""
    declared = known.get(name)
    title = "" if declared is None else declared.title
    return title or plain(name).replace("_", " ").capitalize()


def _organisation(request: Request, catalog: Catalog) -> str:
    tenant = catalog.tenants.get(request.tenant)
    return request.tenant if tenant is None else tenant.name

"""The words policies are written in: entity types, action names, action groups.

Every tool, resource and prompt has one action, named for it. An action stands in
three groups: `call`, its operation, and its server. `issue` stands in none.
Two things that would have the same action are refused when policies are checked.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from remit.ids import ServerName
from remit.model import (
    MANAGEMENT,
    Argument,
    ArgumentType,
    HistoryFact,
    Operation,
    Prompt,
    Resource,
    Tool,
)
from remit.policy.evaluation import ResourceKind, SubjectKind

__all__ = [
    "ACTION_TYPE",
    "ARGUMENTS",
    "CALL",
    "CIRCUMSTANCES_ID",
    "CIRCUMSTANCES_TYPE",
    "HISTORY",
    "ISSUE",
    "JUSTIFICATION",
    "NAMESPACE",
    "OPEN",
    "SAID",
    "SAYING",
    "TOLD",
    "URI_ARGUMENT",
    "CallableThing",
    "Declared",
    "DeclaredServer",
    "action_name",
    "callable_things",
    "entity_type",
    "group_names",
    "principal_type",
    "server_group",
    "server_groups",
]

NAMESPACE: Final = "Remit"
ACTION_TYPE: Final = "Remit::Action"
CALL: Final = "call"
ISSUE: Final = "issue"
ARGUMENTS: Final = "arguments"
HISTORY: Final = "history"
JUSTIFICATION: Final = "justification"
TOLD: Final = "told"
SAID: Final = frozenset({JUSTIFICATION, TOLD})
"""Those that say why, and may be absent from any call."""
OPEN: Final = frozenset({ARGUMENTS, HISTORY}) | SAID
"""The attributes of `context` that only a call brings: not there at issuance, open while a list is made."""
SAYING: Final = "saying"
"""Where an open question has what may be there and may not: no policy can name it."""

# An entity that no policy can name, for no schema has its type: see `open_question`.
CIRCUMSTANCES_TYPE: Final = "Circumstances"
CIRCUMSTANCES_ID: Final = "now"

_RESOURCE_TYPES: Final = {
    ResourceKind.SERVER: "Server",
    ResourceKind.TOOL: "Tool",
    ResourceKind.RESOURCE: "Resource",
    ResourceKind.PROMPT: "Prompt",
}
_PRINCIPAL_TYPES: Final = {SubjectKind.USER: "User", SubjectKind.WORKLOAD: "Workload"}

URI_ARGUMENT: Final = Argument(name="uri", type=ArgumentType.STRING, pointer="/uri", required=True)
"""The one argument of reading a resource: the URI as the caller wrote it."""


class DeclaredServer(Protocol):
    """The part of a server that policies speak of."""

    @property
    def name(self) -> ServerName: ...
    @property
    def tools(self) -> Mapping[str, Tool]: ...
    @property
    def resources(self) -> tuple[Resource, ...]: ...
    @property
    def prompts(self) -> Mapping[str, Prompt]: ...


class Declared(Protocol):
    """What types policies: a catalog, or as much of one as its files already say.

    `None` for the names of networks or roles: nobody can say yet what they are.
    """

    @property
    def servers(self) -> Mapping[ServerName, DeclaredServer]: ...
    @property
    def history(self) -> Mapping[str, HistoryFact]: ...
    @property
    def told(self) -> Collection[str]: ...
    @property
    def networks(self) -> Collection[str] | None: ...
    @property
    def roles(self) -> Collection[str] | None: ...


@dataclass(frozen=True, slots=True)
class CallableThing:
    """A tool, resource or prompt as policies see it."""

    kind: ResourceKind
    server: ServerName
    name: str
    operation: Operation
    arguments: tuple[Argument, ...]

    @property
    def action(self) -> str:
        return action_name(self.kind, self.server, self.name)


def callable_things(catalog: Declared) -> Iterator[CallableThing]:
    """Everything in `catalog` that can be called, server by server; last what administrators call."""
    for server in catalog.servers.values():
        yield from _things_of(server)
    yield from _things_of(MANAGEMENT)


def server_groups(catalog: Declared) -> tuple[str, ...]:
    """The group of every server that can be called, the management API's last."""
    return tuple(server_group(name) for name in (*catalog.servers, MANAGEMENT.name))


def action_name(kind: ResourceKind, server: ServerName, name: str) -> str:
    """The action of using one thing; also the id of its entity, but for a server's."""
    match kind:
        case ResourceKind.SERVER:
            return ISSUE
        case ResourceKind.TOOL:
            return f"{server}/{name}"
        case ResourceKind.RESOURCE | ResourceKind.PROMPT:
            return f"{server}/{kind.value}/{name}"


def server_group(server: ServerName) -> str:
    """The group of every action on one server."""
    return f"server/{server}"


def group_names(server: ServerName, operation: Operation) -> tuple[str, str, str]:
    """The groups an action stands in, directly or not."""
    return (operation.value, server_group(server), CALL)


def entity_type(kind: ResourceKind) -> str:
    """The entity type of a resource, without the namespace."""
    return _RESOURCE_TYPES[kind]


def principal_type(kind: SubjectKind) -> str:
    """The entity type of a principal, without the namespace."""
    return _PRINCIPAL_TYPES[kind]


def _things_of(server: DeclaredServer) -> Iterator[CallableThing]:
    for tool in server.tools.values():
        yield CallableThing(
            ResourceKind.TOOL, server.name, tool.name, tool.operation, tool.arguments
        )
    for resource in server.resources:
        yield CallableThing(
            ResourceKind.RESOURCE, server.name, resource.uri, resource.operation, (URI_ARGUMENT,)
        )
    for prompt in server.prompts.values():
        yield CallableThing(ResourceKind.PROMPT, server.name, prompt.name, Operation.READ, ())

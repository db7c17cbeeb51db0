"""What a call uses: one thing of one server, found in the catalog by its exact name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, assert_never

from remit.guard.uri_template import find_resource
from remit.ids import ScopeName
from remit.model import Argument, Operation, Prompt, Resource, Sensitivity, Server, Tool
from remit.policy.evaluation import ArgumentValue, ResourceFacts, ResourceKind
from remit.policy.vocabulary import URI_ARGUMENT

__all__ = [
    "Target",
    "Thing",
    "find_target",
    "find_thing",
    "target_of",
    "targets_of",
    "things_of",
]

Thing = Tool | Resource | Prompt

_NOTHING: Final[Mapping[str, ArgumentValue]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A tool, resource or prompt, and all that deciding about it takes.

    `facts.name` is the name in the catalog: for a resource its URI or URI template.
    """

    facts: ResourceFacts
    scopes: tuple[ScopeName, ...]
    arguments: tuple[Argument, ...]
    known_arguments: Mapping[str, ArgumentValue] | None
    """The arguments of every use, when they cannot differ; `None` when each call brings its own."""

    @property
    def sensitivity(self) -> Sensitivity:
        return self.facts.sensitivity


def find_target(server: Server, kind: ResourceKind | None, name: str | None) -> Target | None:
    """The thing of `kind` called `name` on `server`; `None` when the catalog has none."""
    thing = find_thing(server, kind, name)
    return None if thing is None else target_of(server, thing)


def find_thing(server: Server, kind: ResourceKind | None, name: str | None) -> Thing | None:
    """What the catalog declares under `name`: of a resource, the one that the URI `name` is."""
    if name is None:
        return None
    match kind:
        case ResourceKind.TOOL:
            return server.tools.get(name)
        case ResourceKind.RESOURCE:
            return find_resource(server.resources, name)
        case ResourceKind.PROMPT:
            return server.prompts.get(name)
        case _:
            return None


def things_of(server: Server, kind: ResourceKind | None) -> Iterator[Thing]:
    """Everything of `kind` on `server`; of every kind when `kind` is `None`."""
    if kind in {ResourceKind.TOOL, None}:
        yield from server.tools.values()
    if kind in {ResourceKind.RESOURCE, None}:
        yield from server.resources
    if kind in {ResourceKind.PROMPT, None}:
        yield from server.prompts.values()


def targets_of(server: Server, kind: ResourceKind | None) -> Iterator[Target]:
    """Everything of `kind` on `server`; of every kind when `kind` is `None`."""
    return (target_of(server, thing) for thing in things_of(server, kind))


def target_of(server: Server, thing: Thing) -> Target:
    """`thing`, which is one of `server`'s."""
    match thing:
        case Tool():
            return _of_tool(server, thing)
        case Resource():
            return _of_resource(server, thing)
        case Prompt():
            return _of_prompt(server, thing)
        case _:
            assert_never(thing)


def _of_tool(server: Server, tool: Tool) -> Target:
    facts = _facts(server, ResourceKind.TOOL, tool.name, operation=tool.operation, thing=tool)
    return Target(
        facts=facts,
        scopes=tool.scopes,
        arguments=tool.arguments,
        known_arguments=None if tool.arguments else _NOTHING,
    )


def _of_resource(server: Server, resource: Resource) -> Target:
    facts = _facts(
        server, ResourceKind.RESOURCE, resource.uri, operation=resource.operation, thing=resource
    )
    return Target(
        facts=facts,
        scopes=resource.scopes,
        arguments=(URI_ARGUMENT,),
        known_arguments=None if resource.is_template else {URI_ARGUMENT.name: resource.uri},
    )


def _of_prompt(server: Server, prompt: Prompt) -> Target:
    facts = _facts(server, ResourceKind.PROMPT, prompt.name, operation=Operation.READ, thing=prompt)
    return Target(facts=facts, scopes=prompt.scopes, arguments=(), known_arguments=_NOTHING)


def _facts(
    server: Server,
    kind: ResourceKind,
    name: str,
    *,
    operation: Operation,
    thing: Tool | Resource | Prompt,
) -> ResourceFacts:
    return ResourceFacts(
        kind=kind,
        server=server.name,
        name=name,
        tenant=server.tenant,
        environment=server.environment,
        operation=operation,
        sensitivity=thing.sensitivity,
        data_categories=thing.data_categories,
        owner=server.owner,
        region=server.region,
    )

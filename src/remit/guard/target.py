"""What a call uses: one thing of one server, found in the catalog by its exact name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.guard.uri_template import find_resource
from remit.ids import ScopeName
from remit.model import Argument, Operation, Prompt, Resource, Sensitivity, Server, Tool
from remit.policy.evaluation import ArgumentValue, ResourceFacts, ResourceKind
from remit.policy.vocabulary import URI_ARGUMENT

__all__ = ["Target", "find_target", "targets_of"]

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
    if name is None:
        return None
    match kind:
        case ResourceKind.TOOL:
            tool = server.tools.get(name)
            return None if tool is None else _of_tool(server, tool)
        case ResourceKind.RESOURCE:
            resource = find_resource(server.resources, name)
            return None if resource is None else _of_resource(server, resource)
        case ResourceKind.PROMPT:
            prompt = server.prompts.get(name)
            return None if prompt is None else _of_prompt(server, prompt)
        case _:
            return None


def targets_of(server: Server, kind: ResourceKind | None) -> Iterator[Target]:
    """Everything of `kind` on `server`; of every kind when `kind` is `None`."""
    if kind in {ResourceKind.TOOL, None}:
        yield from (_of_tool(server, tool) for tool in server.tools.values())
    if kind in {ResourceKind.RESOURCE, None}:
        yield from (_of_resource(server, resource) for resource in server.resources)
    if kind in {ResourceKind.PROMPT, None}:
        yield from (_of_prompt(server, prompt) for prompt in server.prompts.values())


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
    )

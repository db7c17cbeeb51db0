"""What of one server stands in a caller's lists: exactly what this token may use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from remit.guard.target import Target
from remit.guard.uri_template import find_resource
from remit.model import Resource
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["Visible", "names_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """The answer to a list: who asked, and what they may see, by the names in the catalog.

    `resources` are all of the server's, to tell which of them a URI is.
    """

    decision_id: str
    token: AccessToken
    names: Mapping[ResourceKind, frozenset[str]]
    resources: tuple[Resource, ...] = ()

    def offers(self, kind: ResourceKind) -> bool:
        """Whether anything of `kind` may stand in a list."""
        return bool(self.names.get(kind))

    def admits(self, kind: ResourceKind, name: str) -> bool:
        """Whether `name` (a tool, a prompt, a URI or a URI template) may stand in the list."""
        visible = self.names.get(kind, frozenset())
        if kind is not ResourceKind.RESOURCE or name in visible:
            return name in visible
        resource = find_resource(self.resources, name)
        return resource is not None and resource.uri in visible


def names_of(targets: Iterable[Target]) -> Mapping[ResourceKind, frozenset[str]]:
    """The names of `targets`, by kind."""
    names: dict[ResourceKind, set[str]] = {}
    for target in targets:
        names.setdefault(target.facts.kind, set()).add(target.facts.name)
    return {kind: frozenset(of_kind) for kind, of_kind in names.items()}

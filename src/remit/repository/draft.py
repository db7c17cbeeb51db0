"""A policy repository that has been read but not yet believed: its documents, with their lines.

The rules on what files say of each other look here, at the documents and not at
the models: so they speak even of files that have other mistakes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType

from remit.documents import Document, Path, Pattern
from remit.repository.files import AGENTS, SERVERS

__all__ = ["Draft", "names_under", "strings_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The documents by what they declare; `None` for one that is missing or is no YAML.

    Servers, agents and rules go by the stem of their file. `files` are the paths of all that was
    there, also of what could not be read: it exists, whatever is in it.
    """

    root: Document | None
    scopes: Document | None
    roles: Document | None
    people: Document | None
    trust: Document | None
    servers: Mapping[str, Document]
    agents: Mapping[str, Document]
    files: frozenset[str]
    approvals: Document | None = None
    audit: Document | None = None
    rules: Mapping[str, Document] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def server_names(self) -> frozenset[str]:
        """Every server there is a file for."""
        return self._stems(SERVERS)

    @property
    def agent_names(self) -> frozenset[str]:
        """Every agent there is a file for."""
        return self._stems(AGENTS)

    def _stems(self, folder: str) -> frozenset[str]:
        return frozenset(
            PurePosixPath(name).stem for name in self.files if name.startswith(f"{folder}/")
        )

    def documents(self) -> Iterator[Document]:
        """Every document there is."""
        singles = (self.root, self.scopes, self.roles, self.people, self.trust, self.approvals)
        for single in (*singles, self.audit):
            if single is not None:
                yield single
        yield from self.servers.values()
        yield from self.agents.values()
        yield from self.rules.values()


def strings_at(document: Document | None, pattern: Pattern) -> Iterator[tuple[Path, str]]:
    """Every text in `document` whose path fits `pattern`; anything else there is a mistake reported elsewhere."""
    if document is not None:
        for path, node in document.find(pattern):
            if isinstance(node.value, str):
                yield path, node.value


def names_under(document: Document | None, *path: str) -> frozenset[str] | None:
    """The keys of the mapping, or the texts of the list, at `path`; `None` where there is neither."""
    if document is None:
        return None
    node, exists = document.nearest(path)
    if not exists or not isinstance(node.value, dict | list):
        return None
    return frozenset(one for one in node.value if isinstance(one, str))

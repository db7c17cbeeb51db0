"""What a repository declares, as far as it can be read, with where each part stands.

The rules that make remarks look here: at documents and not at a catalog, so that they speak of
repositories that have mistakes as well. What is not what it should be is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from remit.documents import ANY, Document, Path, Problem
from remit.ids import ScopeName
from remit.model import Operation, Sensitivity
from remit.repository.draft import Draft, strings_at
from remit.repository.hierarchy import close
from remit.repository.lint.scope_words import HIGH_RISK
from remit.repository.reach import Reach, reach_of
from remit.scopes import Hierarchy

__all__ = ["Inventory", "Listed", "Thing", "inventory_of"]

_THINGS = ("tools", "resources", "prompts")
_LEVELS = tuple(Sensitivity)
_NOTHING: frozenset[ScopeName] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Scopes in a list that a name stands over: a role's, an agent's, those that a scope covers."""

    name: str
    document: Document
    path: Path
    scopes: tuple[str, ...]

    def problem(self, message: str, expected: str = "") -> Problem:
        """A problem with the whole."""
        return self.document.problem(self.path, message, expected=expected, at_key=True)

    def problem_with(self, scope: str, message: str, expected: str = "") -> Problem:
        """A problem with one scope of the list."""
        for path, text in strings_at(self.document, (*self.list_path, ANY)):
            if text == scope:
                return self.document.problem(path, message, expected=expected)
        return self.problem(message, expected)

    @property
    def list_path(self) -> Path:
        return (*self.path, "scopes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope(Listed):
    """A scope; `scopes` are those that it names under `covers`."""

    sensitivity: Sensitivity

    @property
    def list_path(self) -> Path:
        return (*self.path, "covers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Listed):
    """A tool, a resource or a prompt; `scopes` are all that it takes."""

    server: str
    kind: str
    operation: Operation
    sensitivity: Sensitivity

    @property
    def is_high_risk(self) -> bool:
        return self.operation in HIGH_RISK or self.sensitivity in _LEVELS[-2:]

    @property
    def spoken(self) -> str:
        return f"{self.kind.removesuffix('s')} `{self.name}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder(Listed):
    """An agent; `acts_alone` if some client of it needs no person."""

    reach: Reach
    max_sensitivity: Sensitivity
    acts_alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All of it, and which scope covers which."""

    draft: Draft
    scopes: Mapping[str, Scope]
    things: tuple[Thing, ...]
    roles: tuple[Listed, ...]
    holders: tuple[Holder, ...]
    hierarchy: Hierarchy
    environments: frozenset[str]
    forbidden: frozenset[str]
    """What no agent may hold, whatever else is said."""

    def below(self, scope: str) -> frozenset[str]:
        """Every scope that `scope` covers, itself left out."""
        return frozenset(self.hierarchy.get(ScopeName(scope), frozenset())) - {scope}

    def is_forbidden(self, scope: str) -> bool:
        """Whether nobody can hold `scope`, since it is forbidden or covers what is."""
        return any(self.covers(scope, one) for one in self.forbidden)

    def covers(self, upper: str, lower: str) -> bool:
        return upper == lower or lower in self.hierarchy.get(ScopeName(upper), _NOTHING)


def inventory_of(draft: Draft) -> Inventory:
    """What `draft` declares."""
    scopes = {one.name: one for one in _scopes(draft)}
    covers = {
        ScopeName(name): [ScopeName(lower) for lower in one.scopes] for name, one in scopes.items()
    }
    return Inventory(
        draft=draft,
        scopes=scopes,
        things=tuple(_things(draft)),
        roles=tuple(_roles(draft)),
        holders=tuple(_holders(draft)),
        hierarchy=close(covers),
        environments=frozenset(text for _, text in strings_at(draft.root, ("environments", ANY))),
        forbidden=frozenset(
            text for _, text in strings_at(draft.root, ("guardrails", "forbidden_scopes", ANY))
        ),
    )


def _scopes(draft: Draft) -> Iterator[Scope]:
    document = draft.scopes
    if document is None:
        return
    for path, _ in document.find((ANY,)):
        yield Scope(
            name=str(path[0]),
            document=document,
            path=path,
            scopes=_texts(document, (*path, "covers")),
            sensitivity=_level(document, (*path, "sensitivity")) or Sensitivity.LOW,
        )


def _things(draft: Draft) -> Iterator[Thing]:
    for server, document in draft.servers.items():
        for kind in _THINGS:
            for path, _ in document.find((kind, ANY)):
                sensitivity = _level(document, (*path, "sensitivity"))
                operation = _operation(document, path, kind)
                scopes = _texts(document, (*path, "scopes"))
                if sensitivity is not None and operation is not None and scopes:
                    yield Thing(
                        name=str(path[1]),
                        document=document,
                        path=path,
                        scopes=scopes,
                        server=server,
                        kind=kind,
                        operation=operation,
                        sensitivity=sensitivity,
                    )


def _operation(document: Document, path: Path, kind: str) -> Operation | None:
    node, exists = document.nearest((*path, "operation"))
    if not exists:
        return None if kind == "tools" else Operation.READ
    return next((one for one in Operation if one.value == node.value), None)


def _level(document: Document, path: Path) -> Sensitivity | None:
    node, exists = document.nearest(path)
    return next((one for one in _LEVELS if exists and one.value == node.value), None)


def _roles(draft: Draft) -> Iterator[Listed]:
    document = draft.roles
    if document is not None:
        for path, _ in document.find(("roles", ANY)):
            scopes = _texts(document, (*path, "scopes"))
            yield Listed(name=str(path[1]), document=document, path=path, scopes=scopes)


def _holders(draft: Draft) -> Iterator[Holder]:
    alone = {
        text for _, text in strings_at(draft.trust, ("issuers", ANY, "workloads", ANY, "agent"))
    }
    grants = ("clients", "static", ANY, "grant_types", ANY)
    for name, document in draft.agents.items():
        by_itself = any("client_credentials" in text for _, text in strings_at(document, grants))
        yield Holder(
            name=name,
            document=document,
            path=(),
            scopes=_texts(document, ("scopes",)),
            reach=reach_of(document),
            max_sensitivity=_level(document, ("max_sensitivity",)) or Sensitivity.MEDIUM,
            acts_alone=by_itself or name in alone,
        )
    root = draft.root
    if root is not None and root.nearest(("unregistered",))[1]:
        yield Holder(
            name="unregistered",
            document=root,
            path=("unregistered",),
            scopes=_texts(root, ("unregistered", "scopes")),
            reach=Reach(
                scopes=(),
                tenants=frozenset(_texts(root, ("unregistered", "tenants"))),
                environments=frozenset(_texts(root, ("unregistered", "environments"))),
                regions=frozenset(),
            ),
            max_sensitivity=_level(root, ("unregistered", "max_sensitivity")) or Sensitivity.LOW,
            acts_alone=False,
        )


def _texts(document: Document, path: Path) -> tuple[str, ...]:
    return tuple(text for _, text in strings_at(document, (*path, ANY)))

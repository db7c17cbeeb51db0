"""From a folder to a catalog: every file read, checked alone, checked against the others, then built.

Nothing is loaded from a repository with a single mistake in it, and every mistake
that can be found is found in one go. Policies are checked last, as soon as every
other file reads as what it should be: they are typed by the catalog.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from remit.documents import ANY, DocumentInvalidError, Problem, quoted
from remit.documents.problem import printable
from remit.ids import ScopeName
from remit.model import Catalog
from remit.policy import PolicySource, check_policies
from remit.repository.agent_rules import check_agents
from remit.repository.catalog import build_catalog
from remit.repository.draft import Draft, strings_at
from remit.repository.drafting import check_stems, model_of, parse_documents, parse_policies
from remit.repository.files import digest_of, read_files
from remit.repository.hierarchy import close, find_cycles
from remit.repository.references import check_references
from remit.repository.server_rules import check_servers

__all__ = [
    "LoadedRepository",
    "PolicyCheck",
    "RepositoryInvalidError",
    "check_repository",
    "load_repository",
]

PolicyCheck = Callable[[Sequence[PolicySource], Catalog], list[Problem]]
"""Says what is wrong with policies over a catalog."""


class RepositoryInvalidError(DocumentInvalidError):
    """The policy repository does not check. `problems` are all that were found."""

    code: ClassVar[str] = "repository_invalid"


@dataclass(frozen=True, slots=True)
class LoadedRepository:
    """A policy repository without a mistake. `files` has the SHA-256 of each by its path."""

    catalog: Catalog
    policies: tuple[PolicySource, ...]
    files: Mapping[str, str]


def load_repository(path: Path, *, check: PolicyCheck = check_policies) -> LoadedRepository:
    """Read and check the policy repository in the folder `path`.

    Raises:
        RepositoryInvalidError: there is a mistake in it; `problems` are all of them.
    """
    loaded, problems = _load(path, check)
    if loaded is None or problems:
        raise RepositoryInvalidError(problems)
    return loaded


def check_repository(path: Path, *, check: PolicyCheck = check_policies) -> list[Problem]:
    """Everything that is wrong with the policy repository in `path`, in the order of files and lines."""
    return sorted(_load(path, check)[1])


def _load(path: Path, check: PolicyCheck) -> tuple[LoadedRepository | None, list[Problem]]:
    files = read_files(path)
    problems = [*files.problems, *check_stems(files.contents)]
    draft = parse_documents(files.contents, problems)
    policies = parse_policies(files.contents, problems)
    models = model_of(draft, files.contents, problems)
    problems.extend(_check_together(draft))
    if models is None:
        return None, problems
    catalog = build_catalog(models, version=digest_of(files.contents))
    problems.extend(_with_excerpt(one, policies) for one in check(policies, catalog))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.contents.items()}
    return LoadedRepository(catalog, policies, MappingProxyType(digests)), problems


def _check_together(draft: Draft) -> Iterator[Problem]:
    """What the files say of each other."""
    covers: dict[ScopeName, list[ScopeName]] = {}
    for (scope, *_), lower in strings_at(draft.scopes, (ANY, "covers", ANY)):
        covers.setdefault(ScopeName(str(scope)), []).append(ScopeName(lower))
    hierarchy = close(covers)
    yield from check_references(draft)
    yield from _rings(draft, covers)
    yield from check_servers(draft, hierarchy)
    yield from check_agents(draft, hierarchy)


def _rings(draft: Draft, covers: Mapping[ScopeName, Sequence[ScopeName]]) -> Iterator[Problem]:
    if draft.scopes is None:
        return
    for ring in find_cycles(covers):
        way = " → ".join([*ring, ring[0]])
        following = ring[1 % len(ring)]
        path = (ring[0], "covers", covers[ring[0]].index(following))
        yield draft.scopes.problem(
            path,
            f"a scope covers itself: {quoted(way)}",
            expected="scopes that cover only narrower ones",
        )


def _with_excerpt(problem: Problem, policies: Sequence[PolicySource]) -> Problem:
    """`problem` with its line, where whoever found it did not add it."""
    text = next((one.text for one in policies if one.filename == problem.file), "")
    lines = text.splitlines()
    if problem.excerpt or not 1 <= problem.line <= len(lines):
        return problem
    return replace(problem, excerpt=printable(lines[problem.line - 1]))

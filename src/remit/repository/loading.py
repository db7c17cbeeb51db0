"""From a folder to a catalog: every file read, checked alone, checked against the others, then built.

Nothing is loaded from a repository with a single mistake in it, and every mistake
that can be found is found in one go: a file with a mistake is still checked for
others, and the rest beside it. What could not be checked for the mistakes found is
said, since silence would pass for approval.
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
from remit.policy import Declared, PolicySource, check_policies, find_ambiguous_actions
from remit.repository.agent_rules import check_agents
from remit.repository.catalog import build_catalog
from remit.repository.delegation_rules import check_delegation
from remit.repository.draft import Draft, strings_at
from remit.repository.drafting import (
    check_stems,
    model_of,
    parse_documents,
    parse_policies,
    things_of,
)
from remit.repository.files import ROOT, SERVERS, Files, digest_of, read_files
from remit.repository.hierarchy import close, find_cycles
from remit.repository.history_rules import check_history
from remit.repository.people_rules import check_people
from remit.repository.references import check_references, unresolved
from remit.repository.registration_rules import check_registration
from remit.repository.reserved import check_reserved
from remit.repository.server_rules import check_servers
from remit.repository.trust_rules import check_trust

__all__ = [
    "Findings",
    "LoadedRepository",
    "PolicyCheck",
    "RepositoryInvalidError",
    "check_repository",
    "load_repository",
]

PolicyCheck = Callable[[Sequence[PolicySource], Declared | None], list[Problem]]
"""Says what is wrong with policies over what is declared; without that, over anything."""


class RepositoryInvalidError(DocumentInvalidError):
    """The policy repository does not check. `problems` are all that were found."""

    code: ClassVar[str] = "repository_invalid"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found, in the order of files and lines; and, in words, what it could not check for that."""

    problems: tuple[Problem, ...]
    unchecked: tuple[str, ...]


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
        RepositoryMissingError: there is no such folder.
    """
    loaded, findings = _load(path, check)
    if loaded is None or findings.problems:
        raise RepositoryInvalidError(findings.problems)
    return loaded


def check_repository(path: Path, *, check: PolicyCheck = check_policies) -> Findings:
    """Everything that is wrong with the policy repository in `path`.

    Raises:
        RepositoryMissingError: there is no such folder.
    """
    return _load(path, check)[1]


def _load(path: Path, check: PolicyCheck) -> tuple[LoadedRepository | None, Findings]:
    files = read_files(path)
    problems: list[Problem] = []
    draft = parse_documents(files, problems)
    refused = {_place(problem) for problem in problems}
    problems += [*files.problems, *check_stems(files.contents)]
    policies = parse_policies(files.contents, problems)
    further: list[Problem] = []
    models = model_of(draft, files.contents, further)
    further.extend(_check_together(draft))
    # What reading refused, an alias for one, has no value that could be judged.
    problems.extend(one for one in further if _place(one) not in refused)
    declared, untyped = _typing(draft, files)
    problems.extend(_with_excerpt(one, policies) for one in check(policies, declared))
    findings = Findings(
        tuple(sorted(problems)), (*_unread(draft, files), *unresolved(draft), *untyped)
    )
    if models is None:
        return None, findings
    catalog = build_catalog(models, version=digest_of(files.contents))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.contents.items()}
    return LoadedRepository(catalog, policies, MappingProxyType(digests)), findings


def _typing(draft: Draft, files: Files) -> tuple[Declared | None, tuple[str, ...]]:
    """What policies are typed by, or why nothing can type them.

    A server left out would make every policy about it wrong: all of them, or none.
    """
    declared, unclear = things_of(draft)
    read = {document.file for document in draft.documents()}
    wanted = {*files.contents, *(problem.file for problem in files.problems)}
    unclear += [one for one in wanted if one.split("/")[0] == SERVERS and one not in read]
    ambiguous = [problem.file for problem in find_ambiguous_actions(declared)]
    if not unclear and not ambiguous:
        return declared, ()
    needed = ", ".join(quoted(one) for one in sorted({*unclear, *ambiguous}))
    why = f"policies were not checked against the catalog: it needs {needed} without these mistakes"
    return None if unclear else declared, (why,)


def _unread(draft: Draft, files: Files) -> Iterator[str]:
    """Files in which a mistake hides whatever follows, and what else they were needed for."""
    for name in sorted(files.contents):
        if name.endswith(".yaml") and all(one.file != name for one in draft.documents()):
            yield f"{quoted(name)} was checked no further than its first mistake"
    if draft.root is None and draft.agents:
        yield f"agents were not held against the limits of {quoted(ROOT)}"


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _check_together(draft: Draft) -> Iterator[Problem]:
    """What the files say of each other."""
    covers: dict[ScopeName, list[ScopeName]] = {}
    for (scope, *_), lower in strings_at(draft.scopes, (ANY, "covers", ANY)):
        covers.setdefault(ScopeName(str(scope)), []).append(ScopeName(lower))
    hierarchy = close(covers)
    yield from check_references(draft)
    yield from check_reserved(draft)
    yield from _rings(draft, covers)
    yield from check_servers(draft, hierarchy)
    yield from check_agents(draft, hierarchy)
    yield from check_registration(draft, hierarchy)
    yield from check_delegation(draft, hierarchy)
    yield from check_people(draft)
    yield from check_history(draft)
    yield from check_trust(draft, hierarchy)


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

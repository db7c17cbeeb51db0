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

from remit.documents import DocumentInvalidError, Problem, quoted
from remit.documents.problem import coded, printable
from remit.model import Catalog
from remit.policy import Declared, PolicySource, check_policies, find_ambiguous_actions
from remit.repository.cases_rules import check_cases
from remit.repository.catalog import Models, build_catalog
from remit.repository.draft import Draft
from remit.repository.drafting import (
    check_stems,
    draft_of,
    model_of,
    rules_of,
    things_of,
)
from remit.repository.files import ROOT, SERVERS, Files, digest_of, files_of
from remit.repository.folder import read_files
from remit.repository.references import unresolved
from remit.repository.rule_policies import placed
from remit.repository.staged import (
    Staged,
    below,
    check_stages,
    in_stage,
    stages_of,
    version_in,
)
from remit.repository.together import check_together

__all__ = [
    "Examination",
    "Findings",
    "LoadedRepository",
    "PolicyCheck",
    "RepositoryInvalidError",
    "check_repository",
    "examine",
    "load_contents",
    "load_repository",
]

_TABLE = "decision-table"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRepository:
    """A policy repository without a mistake, as it holds in `stage`, or outside of any.

    `contents` is the bundle: every file that counts, overlays of all stages and decision tables
    included, by its path; `files` has the SHA-256 of each and `bundle_digest` that of them all.
    `stages` are those that `remit.yaml` lists, in its order.
    """

    catalog: Catalog
    policies: tuple[PolicySource, ...]
    files: Mapping[str, str]
    contents: Mapping[str, bytes]
    bundle_digest: str
    stage: str | None = None
    stages: tuple[str, ...] = ()


def load_repository(
    path: Path, *, stage: str | None = None, check: PolicyCheck = check_policies
) -> LoadedRepository:
    """Read and check the policy repository in the folder `path`, as it holds in `stage`.

    Raises:
        RepositoryInvalidError: there is a mistake in it; `problems` are all of them.
        RepositoryMissingError: there is no such folder.
    """
    return _loaded(read_files(path), stage, check)


def load_contents(
    contents: Mapping[str, bytes], *, stage: str | None = None, check: PolicyCheck = check_policies
) -> LoadedRepository:
    """Check a bundle, which is the bytes of a repository's files by their path, as it holds in `stage`.

    Raises:
        RepositoryInvalidError: there is a mistake in it; `problems` are all of them.
    """
    return _loaded(files_of(contents), stage, check)


def check_repository(
    path: Path, *, stage: str | None = None, check: PolicyCheck = check_policies
) -> Findings:
    """Everything that is wrong with the policy repository in `path`, as it holds in `stage`.

    Raises:
        RepositoryMissingError: there is no such folder.
    """
    return examine(read_files(path), stage=stage, check=check).findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All that was found out about a repository as it holds in one stage, for whoever looks further."""

    findings: Findings
    draft: Draft
    staged: Staged
    files: Files
    loaded: LoadedRepository | None
    """`None` when some file does not fit its model; with mistakes of other kinds, what nobody may use."""


def examine(
    files: Files, *, stage: str | None = None, check: PolicyCheck = check_policies
) -> Examination:
    """Check `files` as they hold in `stage`. Every problem has the code of its kind (`remit.repository.kinds`)."""
    unread: list[Problem] = []
    staged = in_stage(files, stage, unread)
    refused = {_place(problem) for problem in unread}
    draft = draft_of(staged, files)
    amiss: list[Problem] = []
    check_stages(files, staged, asked=stage, problems=amiss)
    misfits: list[Problem] = []
    models = model_of(draft, staged.names, misfits)
    declared, untyped = _typing(draft, files, staged)
    policies = (*staged.policies, *rules_of(draft, misfits))
    problems = [
        *coded(unread, "yaml"),
        *coded(amiss, "stage"),
        *coded(files.problems, "file"),
        *coded(check_stems(files.bundle), "file-name"),
        # What reading refused, an alias for one, has no value that could be judged.
        *(
            one
            for one in (*coded(misfits, "schema"), *check_together(draft))
            if _place(one) not in refused
        ),
        *coded((_in_its_file(one, policies, draft) for one in check(policies, declared)), "policy"),
    ]
    if stage is None:
        # The tables are of the bundle and not of a stage: what some stage takes away is no mistake in them.
        problems.extend(coded(check_cases(files, draft, policies), _TABLE))
    unchecked = (*_unread(draft, staged), *unresolved(draft), *untyped)
    loaded = (
        None
        if models is None
        else _built(models, files, policies=policies, staged=staged, stage=stage)
    )
    return Examination(
        findings=Findings(tuple(sorted(problems)), unchecked),
        draft=draft,
        staged=staged,
        files=files,
        loaded=loaded,
    )


def _loaded(files: Files, stage: str | None, check: PolicyCheck) -> LoadedRepository:
    found = examine(files, stage=stage, check=check)
    # Tables decide nothing: an agent that has to go at once is gone, whatever was written about it.
    grave = any(one.code != _TABLE for one in found.findings.problems)
    if found.loaded is None or grave:
        raise RepositoryInvalidError(found.findings.problems)
    return found.loaded


def _built(
    models: Models,
    files: Files,
    *,
    policies: tuple[PolicySource, ...],
    staged: Staged,
    stage: str | None,
) -> LoadedRepository:
    bundle = files.bundle
    return LoadedRepository(
        catalog=build_catalog(models, version=version_in(files, stage)),
        policies=policies,
        files=MappingProxyType({one: hashlib.sha256(bundle[one]).hexdigest() for one in bundle}),
        contents=MappingProxyType(bundle),
        bundle_digest=digest_of(bundle),
        stage=stage,
        stages=stages_of(staged.root),
    )


def _typing(draft: Draft, files: Files, staged: Staged) -> tuple[Declared | None, tuple[str, ...]]:
    """What policies are typed by, or why nothing can type them.

    A server left out would make every policy about it wrong: all of them, or none.
    """
    declared, unclear = things_of(draft)
    wanted = {*staged.unread, *(problem.file for problem in files.problems)}
    unclear += [one for one in wanted if below(one).split("/")[0] == SERVERS]
    ambiguous = [problem.file for problem in find_ambiguous_actions(declared)]
    if not unclear and not ambiguous:
        return declared, ()
    needed = ", ".join(quoted(one) for one in sorted({*unclear, *ambiguous}))
    why = f"policies were not checked against the catalog: it needs {needed} without these mistakes"
    return None if unclear else declared, (why,)


def _unread(draft: Draft, staged: Staged) -> Iterator[str]:
    """Files in which a mistake hides whatever follows, and what else they were needed for."""
    for name in staged.unread:
        yield f"{quoted(name)} was checked no further than its first mistake"
    if draft.root is None and draft.agents:
        yield f"agents were not held against the limits of {quoted(ROOT)}"


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _in_its_file(problem: Problem, policies: Sequence[PolicySource], draft: Draft) -> Problem:
    """`problem` of a policy, where its author wrote it: in Cedar, or as a rule."""
    rules = next((one for one in draft.rules.values() if one.file == problem.file), None)
    return _with_excerpt(problem, policies) if rules is None else placed(problem, rules)


def _with_excerpt(problem: Problem, policies: Sequence[PolicySource]) -> Problem:
    """`problem` with its line, where whoever found it did not add it."""
    text = next((one.text for one in policies if one.filename == problem.file), "")
    lines = text.splitlines()
    if problem.excerpt or not 1 <= problem.line <= len(lines):
        return problem
    return replace(problem, excerpt=printable(lines[problem.line - 1]))

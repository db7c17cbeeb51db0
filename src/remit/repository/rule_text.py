"""The rules of a repository in Cedar, for people: what each of them becomes, as one would write it."""

from dataclasses import dataclass
from pathlib import Path

from remit.repository.folder import read_files
from remit.repository.loading import RepositoryInvalidError, examine
from remit.repository.rule_policies import cedar_of, rule_id
from remit.repository.rules_file import RulesFile

__all__ = ["RuleText", "rules_in_cedar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """One rule: where it stands, and the policy that it becomes."""

    id: str
    file: str
    line: int
    cedar: str


def rules_in_cedar(path: Path, *, stage: str | None = None) -> tuple[RuleText, ...]:
    """Every rule of the policy repository in `path`, as it holds in `stage`, in the order of files and lines.

    Raises:
        RepositoryInvalidError: there is a mistake in it.
        RepositoryMissingError: there is no such folder.
    """
    found = examine(read_files(path), stage=stage)
    if found.findings.problems:
        raise RepositoryInvalidError(found.findings.problems)
    texts: list[RuleText] = []
    for stem, document in sorted(found.draft.rules.items()):
        for name, rule in RulesFile.model_validate(document.value).root.items():
            key = document.root.children[name].key
            identifier = rule_id(stem, name)
            texts.append(
                RuleText(
                    id=identifier,
                    file=document.file,
                    line=1 if key is None else key.line,
                    cedar=cedar_of(identifier, rule),
                )
            )
    return tuple(texts)

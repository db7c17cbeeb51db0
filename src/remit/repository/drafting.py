"""Each file alone: what it declares, and its document as its model."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from remit.documents import Document, DocumentInvalidError, Problem, quoted, validate
from remit.policy import PolicySource
from remit.repository.agent_file import AgentFile
from remit.repository.approvals_file import ApprovalsFile
from remit.repository.audit_file import AuditFile
from remit.repository.catalog import UNREGISTERED, Models, TypedServers, typed_servers
from remit.repository.draft import Draft, names_under
from remit.repository.fields import is_name
from remit.repository.files import (
    AGENTS,
    APPROVALS,
    AUDIT,
    PEOPLE,
    POLICIES,
    ROLES,
    ROOT,
    RULES,
    SCOPES,
    SERVERS,
    TRUST,
    Files,
)
from remit.repository.history_section import HistoryFacts
from remit.repository.people_file import PeopleFile
from remit.repository.roles_file import RolesFile
from remit.repository.root_file import RootFile
from remit.repository.rule_policies import compiled
from remit.repository.rules_file import RuleSection, RulesFile
from remit.repository.scopes_file import ScopesFile
from remit.repository.section import Section
from remit.repository.server_file import ServerFile, Things
from remit.repository.staged import Staged, below
from remit.repository.trust_file import TrustFile

__all__ = ["check_stems", "draft_of", "model_of", "rules_of", "things_of"]

_Model = TypeVar("_Model", bound=BaseModel)


def draft_of(staged: Staged, files: Files) -> Draft:
    """What was read, by what it declares. What could not even be read exists all the same."""
    documents = staged.documents
    return Draft(
        root=documents.get(ROOT),
        scopes=documents.get(SCOPES),
        roles=documents.get(ROLES),
        people=documents.get(PEOPLE),
        trust=documents.get(TRUST),
        approvals=documents.get(APPROVALS),
        audit=documents.get(AUDIT),
        servers=_in_folder(documents, SERVERS),
        agents=_in_folder(documents, AGENTS),
        rules=_in_folder(documents, RULES),
        files=frozenset({*staged.names, *(below(problem.file) for problem in files.problems)}),
    )


def check_stems(paths: Iterable[str]) -> list[Problem]:
    """Files whose name cannot name what is in them."""
    problems: list[Problem] = []
    for name in paths:
        folder, stem = PurePosixPath(name).parent.name, PurePosixPath(name).stem
        if folder in {SERVERS, AGENTS, POLICIES, RULES} and not is_name(stem):
            message = f"{quoted(stem)} is no name"
            expected = "lower-case letters, digits and `-`, such as `crm.yaml`"
        elif folder == AGENTS and stem == UNREGISTERED:
            message = f"the name {quoted(stem)} is taken"
            expected = "another name; unregistered agents are described in `remit.yaml`"
        else:
            continue
        problems.append(Problem(file=name, line=1, column=1, message=message, expected=expected))
    return problems


def model_of(draft: Draft, names: frozenset[str], problems: list[Problem]) -> Models | None:
    """Every document as its model; `None` when one of them is missing or does not fit."""
    root = _validated(draft.root, RootFile, problems)
    scopes = _validated(draft.scopes, ScopesFile, problems)
    roles = _validated(draft.roles, RolesFile, problems) if ROLES in names else RolesFile()
    people = _validated(draft.people, PeopleFile, problems) if PEOPLE in names else PeopleFile()
    trust = _validated(draft.trust, TrustFile, problems) if TRUST in names else TrustFile()
    approvals = (
        _validated(draft.approvals, ApprovalsFile, problems)
        if APPROVALS in names
        else ApprovalsFile()
    )
    audit = _validated(draft.audit, AuditFile, problems) if AUDIT in names else AuditFile()
    servers = _all_validated(draft.servers, ServerFile, problems)
    agents = _all_validated(draft.agents, AgentFile, problems)
    if root is None or scopes is None or roles is None or servers is None or agents is None:
        return None
    if people is None or trust is None or approvals is None or audit is None:
        return None
    return Models(
        root=root,
        scopes=scopes,
        roles=roles,
        people=people,
        trust=trust,
        approvals=approvals,
        audit=audit,
        servers=servers,
        agents=agents,
    )


def rules_of(draft: Draft, problems: list[Problem]) -> tuple[PolicySource, ...]:
    """The policies that the files in `rules/` become; what does not fit is left out, and reported."""
    policies: list[PolicySource] = []
    for stem, document in draft.rules.items():
        file = _validated(document, RulesFile, problems)
        rules = _fitting_rules(document) if file is None else file.root
        policies.append(compiled(stem, document, rules))
    return tuple(policies)


def _fitting_rules(document: Document) -> dict[str, RuleSection]:
    """Those rules of a file that fit, for what is wrong with them besides."""
    fitting: dict[str, RuleSection] = {}
    rules = document.value if isinstance(document.value, dict) else {}
    for name, rule in rules.items():
        with suppress(ValidationError):
            fitting[name] = RuleSection.model_validate(rule)
    return fitting


def things_of(draft: Draft) -> tuple[TypedServers, list[str]]:
    """What policies are typed by, and the files whose part in it cannot be told."""
    things: dict[str, Things] = {}
    unclear: list[str] = []
    for stem, document in draft.servers.items():
        try:
            things[stem] = Things.model_validate(document.value)
        except ValidationError:
            unclear.append(document.file)  # `model_of` reports what is wrong with it.
    history: HistoryFacts = {}
    if draft.root is not None:
        try:
            history = _Remembered.model_validate(draft.root.value).history
        except ValidationError:
            unclear.append(draft.root.file)
    told: frozenset[str] | None = frozenset()
    if APPROVALS in draft.files:
        told = _names_if_told(draft.approvals, "justifications")
    if told is None:
        unclear.append(APPROVALS)
    typed = typed_servers(
        things,
        history=history,
        told=told or frozenset(),
        networks=_names_if_told(draft.root, "networks"),
        roles=_names_if_told(draft.roles, "roles") if ROLES in draft.files else frozenset(),
    )
    return typed, unclear


class _Remembered(BaseModel):
    """What policies need of `remit.yaml`."""

    model_config = ConfigDict(**Section.model_config | {"extra": "ignore"})

    history: HistoryFacts = {}


def _names_if_told(document: Document | None, key: str) -> frozenset[str] | None:
    """The keys under `key`, none if it is left out; `None` where a mistake hides what there are."""
    if document is None:
        return None
    _, exists = document.nearest((key,))
    return names_under(document, key) if exists else frozenset()


def _in_folder(documents: Mapping[str, Document], folder: str) -> dict[str, Document]:
    return {
        PurePosixPath(name).stem: document
        for name, document in documents.items()
        if name.startswith(f"{folder}/")
    }


def _validated(
    document: Document | None, model: type[_Model], problems: list[Problem]
) -> _Model | None:
    if document is None:
        return None
    try:
        return validate(document, model)
    except DocumentInvalidError as error:
        problems.extend(error.problems)
        return None


def _all_validated(
    documents: Mapping[str, Document], model: type[_Model], problems: list[Problem]
) -> dict[str, _Model] | None:
    found = {stem: _validated(one, model, problems) for stem, one in documents.items()}
    fitting = {stem: one for stem, one in found.items() if one is not None}
    return fitting if len(fitting) == len(found) else None

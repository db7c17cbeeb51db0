"""Every name that one file uses and another declares: it must exist, and stand in a list once.

Where the declarations cannot be read their uses are not blamed, but a scope must
still be written as scopes are, and `unresolved` says what was not looked up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from pydantic_core import PydanticCustomError

from remit.documents import (
    ANY,
    Document,
    Path,
    Pattern,
    Problem,
    did_you_mean,
    one_of,
    quoted,
)
from remit.model import MANAGEMENT
from remit.repository.draft import Draft, names_under, strings_at
from remit.repository.fields import ONE_OPERATION, check_scope, is_general_purpose
from remit.repository.files import AGENTS, APPROVALS, PEOPLE, ROLES, ROOT, SCOPES, SERVERS
from remit.repository.reserved import BUILT_IN_ENVIRONMENTS, BUILT_IN_SCOPES

__all__ = ["check_references", "unresolved"]


class Kind(StrEnum):
    """What is referred to."""

    SCOPE = "scope"
    TENANT = "tenant"
    ENVIRONMENT = "environment"
    ROLE = "role"
    AGENT = "agent"
    SERVER = "server"
    RESOURCE_SERVER = "resource server"
    REGION = "region"
    PROVIDER = "identity provider"
    CLIENT = "client"
    ENGINE = "engine"
    NOTIFIER = "notifier"


@dataclass(frozen=True, slots=True)
class _Use:
    """Where in a kind of file names of a kind are used."""

    kind: Kind
    pattern: Pattern


_DECLARED_IN: Final = {
    Kind.SCOPE: SCOPES,
    Kind.TENANT: f"`tenants` of {ROOT}",
    Kind.ENVIRONMENT: f"`environments` of {ROOT}",
    Kind.ROLE: ROLES,
    Kind.AGENT: f"{AGENTS}/",
    Kind.SERVER: f"{SERVERS}/",
    Kind.RESOURCE_SERVER: f"{SERVERS}/",
    Kind.REGION: f"`region` of a file in {SERVERS}/",
    Kind.PROVIDER: f"`providers` of {PEOPLE}",
    Kind.CLIENT: f"`clients` of a file in {AGENTS}/",
    Kind.ENGINE: f"`engines` of {ROOT}",
    Kind.NOTIFIER: f"`notifiers` of {APPROVALS}",
}
_FEW = 8
_CLIENT_IDS: Final[Pattern] = ("clients", "static", ANY, "client_id")
_DOCUMENTS: Final[Pattern] = ("clients", "metadata_documents", ANY)
_IN_ROOT: Final = (
    _Use(Kind.SCOPE, ("issuer", "default_scopes", ANY)),
    _Use(Kind.SCOPE, ("guardrails", "forbidden_scopes", ANY)),
    _Use(Kind.SCOPE, ("unregistered", "scopes", ANY)),
    _Use(Kind.SCOPE, ("deployment", "privileged_scopes", ANY)),
    _Use(Kind.ENVIRONMENT, ("unregistered", "environments", ANY)),
    _Use(Kind.TENANT, ("unregistered", "tenants", ANY)),
    _Use(Kind.ENGINE, ("tenants", ANY, "engine")),
    _Use(Kind.SCOPE, ("registration", "rules", ANY, "scopes", ANY)),
    _Use(Kind.ENVIRONMENT, ("registration", "rules", ANY, "environment")),
    _Use(Kind.ENVIRONMENT, ("registration", "document_hosts", ANY, "environment")),
)
_IN_SCOPES: Final = (_Use(Kind.SCOPE, (ANY, "covers", ANY)),)
_IN_ROLES: Final = (
    _Use(Kind.SCOPE, ("roles", ANY, "scopes", ANY)),
    _Use(Kind.ROLE, ("attributes", ANY, "roles", ANY)),
)
_IN_SERVERS: Final = (
    _Use(Kind.ENGINE, ("engine",)),
    _Use(Kind.TENANT, ("tenant",)),
    _Use(Kind.ENVIRONMENT, ("environment",)),
    _Use(Kind.SCOPE, ("baseline_scopes", ANY)),
    _Use(Kind.SCOPE, ("tools", ANY, "scopes", ANY)),
    _Use(Kind.SCOPE, ("upstream", "http", "credential", "exchange", "scopes", ANY)),
    _Use(Kind.SCOPE, ("resources", ANY, "scopes", ANY)),
    _Use(Kind.SCOPE, ("prompts", ANY, "scopes", ANY)),
)
_IN_AGENTS: Final = (
    _Use(Kind.SCOPE, ("scopes", ANY)),
    _Use(Kind.ENVIRONMENT, ("environments", ANY)),
    _Use(Kind.TENANT, ("tenants", ANY)),
    _Use(Kind.REGION, ("regions", ANY)),
    _Use(Kind.AGENT, ("delegates", ANY)),
    _Use(Kind.SERVER, ("exchange_servers", ANY)),
)
_IN_PEOPLE: Final = (
    _Use(Kind.TENANT, ("providers", ANY, "tenant")),
    _Use(Kind.ROLE, ("providers", ANY, "rules", ANY, "roles", ANY)),
    _Use(Kind.TENANT, ("providers", ANY, "rules", ANY, "tenant")),
)
_IN_RULES: Final = (
    _Use(Kind.SERVER, (ANY, "servers", ANY)),
    _Use(Kind.ROLE, (ANY, "except_roles", ANY)),
    _Use(Kind.ROLE, (ANY, "separation_of_duties", "roles", ANY)),
    _Use(Kind.REGION, (ANY, "region", "regions", ANY)),
)
_WORKLOADS: Final[Pattern] = ("issuers", ANY, "workloads", ANY)
_IN_TRUST: Final = (
    _Use(Kind.AGENT, (*_WORKLOADS, "agent")),
    _Use(Kind.RESOURCE_SERVER, (*_WORKLOADS, "servers", ANY)),
    _Use(Kind.SCOPE, (*_WORKLOADS, "scopes", ANY)),
    *(
        use
        for purpose in ("id_jag", "exchange")
        for use in (
            _Use(Kind.PROVIDER, ("issuers", ANY, purpose, "provider")),
            _Use(Kind.CLIENT, ("issuers", ANY, purpose, "clients", ANY)),
            _Use(Kind.SERVER, ("issuers", ANY, purpose, "servers", ANY)),
        )
    ),
)

_IN_APPROVALS: Final = (
    _Use(Kind.ROLE, ("rules", ANY, "role")),
    _Use(Kind.ROLE, ("rules", ANY, "escalation", "role")),
    _Use(Kind.SERVER, ("rules", ANY, "servers", ANY)),
    _Use(Kind.ENVIRONMENT, ("rules", ANY, "environments", ANY)),
    _Use(Kind.NOTIFIER, ("rules", ANY, "notify", ANY)),
    _Use(Kind.ROLE, ("access", ANY, "role")),
    _Use(Kind.SCOPE, ("access", ANY, "scopes", ANY)),
    _Use(Kind.RESOURCE_SERVER, ("access", ANY, "servers", ANY)),
    _Use(Kind.ENVIRONMENT, ("access", ANY, "environments", ANY)),
    _Use(Kind.ROLE, ("access", ANY, "people_roles", ANY)),
    _Use(Kind.AGENT, ("access", ANY, "agents", ANY)),
    _Use(Kind.ROLE, ("access", ANY, "approver")),
    _Use(Kind.ROLE, ("emergency", ANY, "role")),
    _Use(Kind.SCOPE, ("emergency", ANY, "scopes", ANY)),
    _Use(Kind.ENVIRONMENT, ("emergency", ANY, "environments", ANY)),
    _Use(Kind.ROLE, ("emergency", ANY, "reviewer")),
    _Use(Kind.NOTIFIER, ("emergency", ANY, "notify", ANY)),
)

_IN_AUDIT: Final = (
    _Use(Kind.SERVER, ("redaction", ANY, "servers", ANY)),
    _Use(Kind.TENANT, ("redaction", ANY, "tenants", ANY)),
    _Use(Kind.TENANT, ("sinks", ANY, "tenants", ANY)),
)


def check_references(draft: Draft) -> Iterator[Problem]:
    """Every use of a name that nothing declares, and every name that stands in one list twice."""
    declared = _declared(draft)
    for document, uses in _documents(draft):
        for use in uses:
            yield from _check(document, use, declared[use.kind])
    if draft.root is not None:
        yield from _repeats(draft.root, strings_at(draft.root, ("environments", ANY)))


def unresolved(draft: Draft) -> Iterator[str]:
    """What was not looked up because its declarations cannot be read."""
    declared = _declared(draft)
    for kind in Kind:
        if declared[kind] is None and any(
            use.kind is kind and any(strings_at(document, use.pattern))
            for document, uses in _documents(draft)
            for use in uses
        ):
            yield f"{kind}s were not looked up: {_DECLARED_IN[kind]} cannot be told"


def _declared(draft: Draft) -> dict[Kind, frozenset[str] | None]:
    scopes = names_under(draft.scopes)
    environments = names_under(draft.root, "environments")
    return {
        Kind.SCOPE: None if scopes is None else scopes | BUILT_IN_SCOPES,
        Kind.TENANT: names_under(draft.root, "tenants"),
        Kind.ENVIRONMENT: None if environments is None else environments | BUILT_IN_ENVIRONMENTS,
        Kind.ROLE: _optional(draft, ROLES, draft.roles, "roles"),
        Kind.AGENT: draft.agent_names,
        Kind.SERVER: draft.server_names,
        # A pipeline that deploys policies speaks with the management API.
        Kind.RESOURCE_SERVER: draft.server_names | {MANAGEMENT.name},
        Kind.REGION: _all_of(draft.servers, draft.server_names, ("region",)),
        Kind.PROVIDER: _optional(draft, PEOPLE, draft.people, "providers"),
        Kind.ENGINE: _optional(draft, ROOT, draft.root, "engines"),
        Kind.NOTIFIER: _optional(draft, APPROVALS, draft.approvals, "notifiers"),
        Kind.CLIENT: _all_of(draft.agents, draft.agent_names, _CLIENT_IDS, _DOCUMENTS),
    }


def _optional(
    draft: Draft, file: str, document: Document | None, key: str
) -> frozenset[str] | None:
    """What stands under `key` of a file that may be left out, as may the key: then nothing is declared."""
    if document is None:
        return None if file in draft.files else frozenset()
    return names_under(document, key) if document.nearest((key,))[1] else frozenset()


def _all_of(
    documents: Mapping[str, Document], names: frozenset[str], *patterns: Pattern
) -> frozenset[str] | None:
    """What stands at `patterns` in all files of a folder; `None` while one cannot be read."""
    if names - documents.keys():
        return None
    return frozenset(
        text
        for document in documents.values()
        for pattern in patterns
        for _, text in strings_at(document, pattern)
    )


def _documents(draft: Draft) -> Iterator[tuple[Document, tuple[_Use, ...]]]:
    for document, uses in (
        (draft.root, _IN_ROOT),
        (draft.scopes, _IN_SCOPES),
        (draft.roles, _IN_ROLES),
        (draft.people, _IN_PEOPLE),
        (draft.trust, _IN_TRUST),
        (draft.approvals, _IN_APPROVALS),
        (draft.audit, _IN_AUDIT),
    ):
        if document is not None:
            yield document, uses
    for server in draft.servers.values():
        yield server, _IN_SERVERS
    for agent in draft.agents.values():
        yield agent, _IN_AGENTS
    for rules in draft.rules.values():
        yield rules, _IN_RULES


def _check(document: Document, use: _Use, declared: frozenset[str] | None) -> Iterator[Problem]:
    used = list(strings_at(document, use.pattern))
    for path, name in used:
        if words := _words(use.kind, name, declared):
            message, expected = words
            wide = use.kind is Kind.SCOPE and is_general_purpose(name)
            problem = document.problem(path, message, expected=expected)
            yield replace(problem, code="general-scope") if wide else problem
    yield from _repeats(document, iter(used))


def _words(kind: Kind, name: str, declared: frozenset[str] | None) -> tuple[str, str] | None:
    """What is wrong with using `name`, and what was expected; `None` when nothing is, or nobody can tell."""
    if kind is Kind.SCOPE and is_general_purpose(name):
        return f"{quoted(name)} is a general-purpose scope", ONE_OPERATION
    if declared is None:
        return _misspelt(name) if kind is Kind.SCOPE else None
    if name in declared:
        return None
    near = did_you_mean(name, declared)
    listed = "" if near or len(declared) > _FEW else one_of(declared)
    return (
        f"unknown {kind} {quoted(name)}{near}",
        listed or f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} declared in {_DECLARED_IN[kind]}",
    )


def _misspelt(scope: str) -> tuple[str, str] | None:
    try:
        check_scope(scope)
    except PydanticCustomError as error:
        context = error.context or {}
        return str(context["message"]), str(context["expected"])
    return None


def _repeats(document: Document, used: Iterator[tuple[Path, str]]) -> Iterator[Problem]:
    seen: set[tuple[Path, str]] = set()
    for path, name in used:
        if (path[:-1], name) in seen:
            yield document.problem(
                path, f"{quoted(name)} stands in this list twice", expected="once"
            )
        seen.add((path[:-1], name))

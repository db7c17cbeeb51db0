"""What agents may not say of handing tokens on: leave that nobody could ever use.

Source: RFC 8693 §4.1, §4.4; MISSION A6.
"""

from collections.abc import Iterator

from remit.documents import ANY, Document, Path, Problem, quoted
from remit.ids import ScopeName
from remit.repository.draft import Draft, strings_at
from remit.repository.grant_types import short_grant_type
from remit.repository.reach import Reach, reach_of, unreachable
from remit.scopes import Hierarchy, covers

__all__ = ["check_delegation"]

_EXCHANGE = "token_exchange"


def check_delegation(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything about `delegates` and `exchange_servers` that names alone do not show."""
    forbidden = _no_depth(draft)
    for stem, document in draft.agents.items():
        reach = reach_of(document)
        for path, name in strings_at(document, ("delegates", ANY)):
            other = draft.agents.get(name)
            if name == stem:
                message = f"{quoted(name)} would be its own delegate"
                yield document.problem(path, message, expected="another agent")
            elif forbidden:
                yield document.problem(
                    path,
                    "no token is ever exchanged",
                    expected="`max_delegation_depth` of at least 1 in remit.yaml",
                )
            elif other is not None and (fault := _idle(reach, other, hierarchy)):
                message, expected = fault
                yield document.problem(path, f"{quoted(name)} {message}", expected=expected)
        yield from _servers(draft, document, reach)


def _idle(reach: Reach, delegate: Document, hierarchy: Hierarchy) -> tuple[str, str] | None:
    """Why the agent of the file `delegate` could do nothing with tokens of an agent of this reach."""
    other = reach_of(delegate)
    if reach.tenants and other.tenants and not reach.tenants & other.tenants:
        return "is of other tenants", "an agent of the same tenant"
    if reach.scopes and other.scopes and not _meet(reach.scopes, other.scopes, hierarchy):
        return "could do nothing with its tokens", "an agent that may hold some of the same scopes"
    if _never_exchanges(delegate):
        return (
            "has no client that exchanges tokens",
            f"`{_EXCHANGE}` among the `grant_types` of one of its clients",
        )
    return None


def _meet(some: tuple[ScopeName, ...], others: tuple[ScopeName, ...], hierarchy: Hierarchy) -> bool:
    return any(
        covers(one, other, hierarchy) or covers(other, one, hierarchy)
        for one in some
        for other in others
    )


def _servers(draft: Draft, document: Document, reach: Reach) -> Iterator[Problem]:
    named = list(strings_at(document, ("exchange_servers", ANY)))
    if named and _never_exchanges(document):
        yield document.problem(
            ("exchange_servers",),
            "no client of this agent exchanges tokens",
            expected=f"`{_EXCHANGE}` among the `grant_types` of one of its clients",
        )
    for path, name in named:
        server = draft.servers.get(name)
        if server is not None and (fault := unreachable(reach, server)):
            yield document.problem(
                path,
                f"{quoted(name)} is out of reach: {fault}",
                expected="a server that this agent may use",
            )


def _never_exchanges(document: Document) -> bool:
    """Whether every client of the agent is a static one, and none of them may exchange tokens.

    What clients that introduce themselves may do is for the rules of registration to say.
    """
    elsewhere: tuple[Path, ...] = (
        ("clients", "metadata_documents"),
        ("clients", "dynamic_redirect_uris"),
    )
    if any(any(strings_at(document, (*place, ANY))) for place in elsewhere):
        return False
    return not any(
        short_grant_type(name) == _EXCHANGE
        for _, name in strings_at(document, ("clients", "static", ANY, "grant_types", ANY))
    )


def _no_depth(draft: Draft) -> bool:
    if draft.root is None:
        return False
    node, exists = draft.root.nearest(("guardrails", "max_delegation_depth"))
    return exists and node.value == 0 and not isinstance(node.value, bool)

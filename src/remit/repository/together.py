"""What the files say of each other: every rule that looks at more than one of them.

Each looks at documents and not at models, so that it speaks of files that have other mistakes too.
"""

from collections.abc import Iterator, Mapping, Sequence

from remit.documents import ANY, Problem, quoted
from remit.documents.problem import coded
from remit.ids import ScopeName
from remit.repository.agent_rules import check_agents
from remit.repository.approvals_rules import check_approvals
from remit.repository.audit_rules import check_audit
from remit.repository.delegation_rules import check_delegation
from remit.repository.draft import Draft, strings_at
from remit.repository.elevated_rules import check_elevated
from remit.repository.engine_rules import check_engines
from remit.repository.hierarchy import close, find_cycles
from remit.repository.history_rules import check_history
from remit.repository.people_rules import check_people
from remit.repository.references import check_references
from remit.repository.registration_rules import check_registration
from remit.repository.reserved import check_reserved
from remit.repository.scope_rules import check_scopes
from remit.repository.server_rules import check_servers
from remit.repository.trust_rules import check_trust

__all__ = ["check_together"]


def check_together(draft: Draft) -> Iterator[Problem]:
    """Everything that is wrong between files, each problem with the code of its kind."""
    covers: dict[ScopeName, list[ScopeName]] = {}
    for (scope, *_), lower in strings_at(draft.scopes, (ANY, "covers", ANY)):
        covers.setdefault(ScopeName(str(scope)), []).append(ScopeName(lower))
    hierarchy = close(covers)
    yield from coded(check_references(draft), "reference")
    yield from coded(check_reserved(draft), "reserved-name")
    yield from coded(check_scopes(draft), "ambiguous-scope")
    yield from coded(_rings(draft, covers), "scope-ring")
    yield from coded(check_elevated(draft, hierarchy), "elevated-scope")
    yield from coded(check_servers(draft, hierarchy), "server")
    yield from coded(check_engines(draft), "engine")
    yield from coded(check_agents(draft, hierarchy), "agent")
    yield from coded(check_registration(draft, hierarchy), "registration")
    yield from coded(check_delegation(draft, hierarchy), "delegation")
    yield from coded(check_people(draft), "people")
    yield from coded(check_history(draft), "history")
    yield from coded(check_trust(draft, hierarchy), "trust")
    yield from coded(check_approvals(draft, hierarchy), "approval")
    yield from coded(check_audit(draft), "audit")


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

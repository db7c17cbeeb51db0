"""What `trust.yaml` may not say: that a stranger is an agent, or an agent more than its file allows.

Source: RFC 7523 §3; RFC 8693 §2.1; AS-64, AS-66, AS-70.
"""

from collections.abc import Iterator

from remit.documents import ANY, Document, Path, Pattern, Problem, quoted
from remit.ids import ScopeName
from remit.repository.draft import Draft, strings_at
from remit.repository.grant_types import short_grant_type
from remit.repository.reach import reach_of, unreachable
from remit.repository.web_addresses import private_address_faults
from remit.repository.workload_claims import claims_fault, value_faults
from remit.scopes import Hierarchy, covers

__all__ = ["check_trust"]

_GRANT_OF = {"id_jag": "jwt_bearer", "exchange": "token_exchange"}


def check_trust(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything about trusted issuers that the models do not see."""
    if draft.trust is None:
        return
    names: dict[str, str] = {}
    for path, _ in draft.trust.find(("issuers", ANY)):
        yield from private_address_faults(draft.trust, path)
        for at, issuer in strings_at(draft.trust, (*path, "issuer")):
            first = names.setdefault(issuer, str(path[-1]))
            if first != path[-1]:
                message = f"the issuer {quoted(issuer)} is that of {quoted(first)} too"
                yield draft.trust.problem(at, message, expected="one entry for each issuer")
        yield from _rules_named_twice(draft.trust, path)
        for rule, _ in draft.trust.find((*path, "workloads", ANY)):
            yield from _wide_claims(draft.trust, rule)
            yield from _beyond_agent(draft, draft.trust, rule, hierarchy)
        yield from _never_matched(draft.trust, path)
        for purpose, grant in _GRANT_OF.items():
            yield from _clients_without(draft, draft.trust, (*path, purpose, "clients", ANY), grant)


def _rules_named_twice(document: Document, issuer: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, name in strings_at(document, (*issuer, "workloads", ANY, "name")):
        if name in seen:
            message = f"the rule {quoted(name)} stands here twice"
            yield document.problem(path, message, expected="once")
        seen.add(name)


def _wide_claims(document: Document, rule: Path) -> Iterator[Problem]:
    issuer = next((text for _, text in strings_at(document, (*rule[:-2], "issuer"))), "")
    values = _claims(document, rule)
    if not values:
        return  # Missing or empty, which is reported itself.
    at = (*rule, "claims")
    if fault := claims_fault(issuer, values):
        yield document.problem(at, fault[0], expected=fault[1])
    for name, value, message, expected in value_faults(issuer, values):
        place: Path = (*at, name)
        if value is None:
            yield document.problem(place, message, expected=expected, at_key=True)
            continue
        index = next(
            (path for path, one in strings_at(document, (*place, ANY)) if one == value), place
        )
        yield document.problem(index, message, expected=expected)


def _claims(document: Document, rule: Path) -> dict[str, frozenset[str]]:
    node, exists = document.nearest((*rule, "claims"))
    if not exists or not isinstance(node.value, dict):
        return {}
    return {
        name: frozenset(
            text
            for place in ((*rule, "claims", name), (*rule, "claims", name, ANY))
            for _, text in strings_at(document, place)
        )
        for name in node.value
    }


def _never_matched(document: Document, issuer: Path) -> Iterator[Problem]:
    """A rule whose workloads an earlier one takes: it believes in an agent that nobody ever is."""
    earlier: list[tuple[str, dict[str, frozenset[str]]]] = []
    for path, _ in document.find((*issuer, "workloads", ANY)):
        claims = _claims(document, path)
        for name, before in earlier:
            if claims and all(
                _matches_all(claims.get(one, frozenset()), before[one]) for one in before
            ):
                message = f"the rule {quoted(name)} leaves nothing to this one"
                yield document.problem(path, message, expected="a place before it, or other claims")
                break
        name = next((text for _, text in strings_at(document, (*path, "name"))), "")
        if claims:
            earlier.append((name, claims))


def _matches_all(values: frozenset[str], patterns: frozenset[str]) -> bool:
    return bool(values) and all(
        value in patterns
        or any(one.endswith("*") and value.startswith(one[:-1]) for one in patterns)
        for value in values
    )


def _beyond_agent(
    draft: Draft, trust: Document, rule: Path, hierarchy: Hierarchy
) -> Iterator[Problem]:
    agent = next(strings_at(trust, (*rule, "agent")), None)
    document = draft.agents.get(agent[1]) if agent is not None else None
    if agent is None or document is None:
        return  # An agent that does not exist is reported as such.
    at, name = agent
    if next((text for _, text in strings_at(document, ("class",))), "workload") != "workload":
        message = f"{quoted(name)} is no workload: a person has to be there"
        yield trust.problem(at, message, expected="an agent of `class: workload`")
    reach = reach_of(document)
    if len(reach.tenants) > 1:
        message = f"{quoted(name)} is of several tenants, and a workload is of one"
        yield trust.problem(at, message, expected="an agent with exactly one of `tenants`")
    for path, scope in strings_at(trust, (*rule, "scopes", ANY)):
        if reach.scopes and not any(
            covers(held, ScopeName(scope), hierarchy) for held in reach.scopes
        ):
            message = f"{quoted(name)} may not hold the scope {quoted(scope)}"
            yield trust.problem(path, message, expected=f"one of its `scopes` in {document.file}")
    for path, server in strings_at(trust, (*rule, "servers", ANY)):
        file = draft.servers.get(server)
        if file is not None and (fault := unreachable(reach, file)):
            message = f"{quoted(server)} is out of reach of {quoted(name)}: {fault}"
            yield trust.problem(path, message, expected="a server that the agent may use")


def _clients_without(
    draft: Draft, trust: Document, place: Pattern, grant: str
) -> Iterator[Problem]:
    """A static client that could never show what it is trusted with."""
    grants = {
        name: {
            short_grant_type(one)
            for _, one in strings_at(document, (*client[:-1], "grant_types", ANY))
        }
        for document in draft.agents.values()
        for client, name in strings_at(document, ("clients", "static", ANY, "client_id"))
    }
    for path, name in strings_at(trust, place):
        if name in grants and grant not in grants[name]:
            yield trust.problem(
                path,
                f"the client {quoted(name)} could never show one",
                expected=f"{quoted(grant)} among its `grant_types`",
            )

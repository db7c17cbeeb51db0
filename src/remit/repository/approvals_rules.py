"""What `approvals.yaml` may not say: rules that nobody ever comes to, amounts that no call has, people who are told nowhere.

Refused: two rules of one name; a rule to which an earlier one leaves nothing; a thing that no server declares; an
amount where nothing that the rule is about has one; an escalation to those who are asked already; something to be told that nothing
declares; a scope for an agent that its own file does not let it hold; an address of a notifier that would be reached in the clear, or that is private and not said to be.

Source: docs/adr/0025-cures.md; MISSION C2.
"""

from collections.abc import Iterator, Mapping

from remit.documents import ANY, Document, Path, Plain, Problem, did_you_mean, one_of, quoted
from remit.ids import ScopeName
from remit.model.justification import REASON
from remit.repository.approvals_section import FIELD_NAME
from remit.repository.draft import Draft, names_under, strings_at
from remit.repository.history_rules import DeclaredThing, things_in
from remit.repository.reach import reach_of
from remit.repository.reserved import BUILT_IN_SCOPES
from remit.repository.web_addresses import private_address_faults
from remit.scopes import Hierarchy, covers

__all__ = ["check_approvals"]

_CONDITIONS = ("servers", "tools", "environments")
_FEW = 8


def check_approvals(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything about approvals and access that the models do not see."""
    document = draft.approvals
    if document is None:
        return
    things = [thing for name in draft.servers for thing in things_in(name, draft.servers[name])]
    complete = not draft.server_names - draft.servers.keys()
    yield from _named_twice(document)
    yield from _never_reached(document)
    for path, node in document.find(("rules", ANY)):
        rule = _mapping(node.value)
        yield from _asked_already(document, path, rule)
        if complete:
            yield from _about_nothing(draft, document, path, things=things)
    yield from _undeclared(document)
    yield from _beyond_agent(draft, document, hierarchy)
    for path, _ in document.find(("notifiers", ANY)):
        yield from private_address_faults(document, path, names=("url",))


def _named_twice(document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, name in strings_at(document, ("rules", ANY, "name")):
        if name in seen:
            message = f"the rule {quoted(name)} stands here twice"
            yield document.problem(path, message, expected="a name for each")
        seen.add(name)


def _never_reached(document: Document) -> Iterator[Problem]:
    """A rule of which an earlier one matches whatever it matches: what it asks for is never asked for."""
    earlier: list[Mapping[str, Plain]] = []
    for path, node in document.find(("rules", ANY)):
        rule = _mapping(node.value)
        wider = next((one for one in earlier if _is_wider(one, rule)), None)
        if wider is not None:
            message = f"the rule {quoted(str(wider.get('name')))} leaves nothing to this one"
            yield document.problem(path, message, expected="a place before it, or another role")
        earlier.append(rule)


def _is_wider(one: Mapping[str, Plain], other: Mapping[str, Plain]) -> bool:
    """Whether `one` matches whatever `other` does. Of amounts in two currencies neither is wider."""
    if one.get("role") != other.get("role"):
        return False
    for key in _CONDITIONS:
        mine, theirs = set(_texts(one.get(key))), set(_texts(other.get(key)))
        if mine and not (theirs and theirs <= mine):
            return False
    return one.get("above") is None or all(
        one.get(key) == other.get(key) for key in ("above", "currency")
    )


def _asked_already(document: Document, path: Path, rule: Mapping[str, Plain]) -> Iterator[Problem]:
    for at, role in strings_at(document, (*path, "escalation", "role")):
        if role == rule.get("role"):
            message = f"those with the role {quoted(role)} are asked already"
            yield document.problem(at, message, expected="another role")


def _about_nothing(
    draft: Draft, document: Document, path: Path, *, things: list[DeclaredThing]
) -> Iterator[Problem]:
    rule = _mapping(document.nearest(path)[0].value)
    declared = frozenset(thing.action for thing in things)
    unknown = False
    for at, name in strings_at(document, (*path, "tools", ANY)):
        if name not in declared:
            unknown = True
            near = did_you_mean(name, declared)
            listed = "" if near or len(declared) > _FEW else one_of(declared)
            yield document.problem(
                at,
                f"unknown thing {quoted(name)}{near}",
                expected=listed or "one that a file in servers/ declares",
            )
    if unknown or _names_strangers(draft, rule):
        return
    meant = [thing for thing in things if _is_meant(draft, rule, thing)]
    if not meant:
        message = "no call is one of these"
        yield document.problem(path, message, expected="conditions that some thing fits")
    elif rule.get("above") is not None and not any(_has_amount(rule, one) for one in meant):
        what = "a decimal" if rule.get("currency") is None else f"money in {rule['currency']}"
        message = f"nothing that this rule is about has an argument that is {what}"
        yield document.problem((*path, "above"), message, expected="a call that has an amount")


def _names_strangers(draft: Draft, rule: Mapping[str, Plain]) -> bool:
    """Whether it names a server or an environment that does not exist, which is reported as such."""
    environments = names_under(draft.root, "environments") or frozenset()
    return not (
        draft.server_names.issuperset(_texts(rule.get("servers")))
        and environments.issuperset(_texts(rule.get("environments")))
    )


def _is_meant(draft: Draft, rule: Mapping[str, Plain], thing: DeclaredThing) -> bool:
    servers, tools = _texts(rule.get("servers")), _texts(rule.get("tools"))
    environments = _texts(rule.get("environments"))
    where = {text for _, text in strings_at(draft.servers[thing.server], ("environment",))}
    return (
        (not servers or thing.server in servers)
        and (not tools or thing.action in tools)
        and (not environments or not where.isdisjoint(environments))
    )


def _has_amount(rule: Mapping[str, Plain], thing: DeclaredThing) -> bool:
    currency = rule.get("currency")
    for argument in thing.arguments.values():
        if currency is None and argument.get("type") == "decimal":
            return True
        if argument.get("type") == "money" and currency is not None:
            fixed = argument.get("currency")
            if fixed is None or fixed == currency:
                return True
    return False


def _undeclared(document: Document) -> Iterator[Problem]:
    """What has to be told that nothing declares. A reason may be told anywhere."""
    named, is_there = document.nearest(("justifications",))
    if is_there and not isinstance(named.value, dict):
        return
    declared = (names_under(document, "justifications") or frozenset()) if is_there else frozenset()
    for kind in ("access", "emergency"):
        for path, name in strings_at(document, (kind, ANY, "justification", ANY)):
            if FIELD_NAME.fullmatch(name) and name not in declared and name != REASON:
                near = did_you_mean(name, (*declared, REASON))
                yield document.problem(
                    path,
                    f"unknown justification {quoted(name)}{near}",
                    expected=f"{quoted(REASON)}, or one declared under `justifications`",
                )


def _beyond_agent(draft: Draft, document: Document, hierarchy: Hierarchy) -> Iterator[Problem]:
    """An agent that may ask for what its own file does not let it hold, so that it never gets it."""
    declared = (names_under(draft.scopes) or frozenset()) | BUILT_IN_SCOPES
    for path, name in strings_at(document, ("access", ANY, "agents", ANY)):
        agent = draft.agents.get(name)
        if agent is None:
            continue  # An agent that does not exist is reported as such.
        held = reach_of(agent).scopes
        for _, scope in strings_at(document, (*path[:-2], "scopes", ANY)):
            if (
                held
                and scope in declared
                and not any(covers(one, ScopeName(scope), hierarchy) for one in held)
            ):
                message = f"{quoted(name)} may not hold the scope {quoted(scope)}"
                expected = f"one of its `scopes` in {agent.file}"
                yield document.problem(path, message, expected=expected)


def _mapping(value: Plain) -> Mapping[str, Plain]:
    return value if isinstance(value, dict) else {}


def _texts(value: Plain) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

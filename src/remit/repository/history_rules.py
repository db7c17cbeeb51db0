"""What a fact of history may not say of the servers: that something counts which is not there, or cannot be counted.

Refused: a server, a thing or a category of data that nothing declares; a fact that no call counts in; a sum of an
argument that a thing has under another type, or takes calls without; a sum of money without its currency, or in
another than the tool's only one. What a call may leave out would be summed as nothing, and be a way around a limit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from remit.documents import Document, Path, Plain, Problem, did_you_mean, one_of, quoted
from remit.repository.draft import Draft

__all__ = ["DeclaredThing", "check_history", "things_in"]

_FEW = 8
_KINDS = {"tools": "", "resources": "resource/", "prompts": "prompt/"}
_SUMMED = frozenset({"money", "decimal"})


@dataclass(frozen=True, slots=True)
class DeclaredThing:
    """A tool, resource or prompt as its file has it."""

    action: str
    server: str
    operation: str
    categories: frozenset[str]
    arguments: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)


def check_history(draft: Draft) -> Iterator[Problem]:
    """Everything about the facts of history that the models do not see."""
    if draft.root is None:
        return
    unread = draft.server_names - draft.servers.keys()
    things = [thing for name in draft.servers for thing in things_in(name, draft.servers[name])]
    for path, node in draft.root.find(("history",)):
        for name in node.children:
            yield from _check(draft, draft.root, (*path, name), things, complete=not unread)


def _check(
    draft: Draft, root: Document, path: Path, things: list[DeclaredThing], *, complete: bool
) -> Iterator[Problem]:
    """One fact. Unless `complete`, some server could not be read, and may have what is missing here."""
    fact = _mapping(root.nearest(path)[0].value)
    names = {
        "servers": draft.server_names,
        "things": frozenset(thing.action for thing in things),
        "data_categories": frozenset(one for thing in things for one in thing.categories),
    }
    unknown = False
    for key, declared in names.items():
        for place, used in enumerate(_texts(fact.get(key))):
            if used not in declared and (complete or key == "servers"):
                unknown = True
                yield _unknown(root, (*path, key, place), used, declared)
    counted = [thing for thing in things if _counts(fact, thing)]
    if fact.get("measure") == "sum":
        yield from _check_sum(root, path, fact, counted)
        counted = [thing for thing in counted if fact.get("argument") in thing.arguments]
    if not counted and complete and not unknown:
        yield root.problem(
            path, "no call counts in this fact", expected="filters that some thing fits"
        )


def _check_sum(
    root: Document, path: Path, fact: Mapping[str, Plain], counted: list[DeclaredThing]
) -> Iterator[Problem]:
    name, currency = fact.get("argument"), fact.get("currency")
    if not isinstance(name, str):
        return
    at = (*path, "argument")
    for thing in counted:
        argument = thing.arguments.get(name)
        if argument is None:
            if thing.action in _texts(fact.get("things")):
                message = f"{quoted(thing.action)} declares no argument {quoted(name)}"
                yield root.problem(at, message, expected="one that policies may read")
            continue
        about = f"the argument {quoted(name)} of {quoted(thing.action)}"
        kind, only = argument.get("type"), argument.get("currency")
        if kind not in _SUMMED:
            yield root.problem(at, f"{about} cannot be summed", expected="`money` or `decimal`")
        if argument.get("required") is not True:
            yield root.problem(
                at, f"{about} may be left out of a call", expected="`required: true` there"
            )
        if kind == "money" and currency is None:
            yield root.problem(path, f"{about} is money", expected="`currency` beside it")
        if kind == "decimal" and currency is not None:
            message = f"{about} has no currency"
            yield root.problem((*path, "currency"), message, expected="no `currency`")
        if isinstance(only, str) and currency is not None and only != currency:
            message = f"{about} is always in {quoted(only)}"
            yield root.problem((*path, "currency"), message, expected=quoted(only))


def _counts(fact: Mapping[str, Plain], thing: DeclaredThing) -> bool:
    """As `guard.use` has it, of what the files say."""
    servers, things = _texts(fact.get("servers")), _texts(fact.get("things"))
    operations, categories = _texts(fact.get("operations")), _texts(fact.get("data_categories"))
    return (
        (not servers or thing.server in servers)
        and (not things or thing.action in things)
        and (not operations or thing.operation in operations)
        and (not categories or not thing.categories.isdisjoint(categories))
    )


def _unknown(root: Document, path: Path, used: str, declared: frozenset[str]) -> Problem:
    near = did_you_mean(used, declared)
    listed = "" if near or len(declared) > _FEW else one_of(declared)
    kind = {"servers": "server", "things": "thing", "data_categories": "category of data"}
    return root.problem(
        path,
        f"unknown {kind[str(path[-2])]} {quoted(used)}{near}",
        expected=listed or "one that a file in servers/ declares",
    )


def things_in(server: str, document: Document) -> Iterator[DeclaredThing]:
    """What the file of `server` declares, named as policies name their actions."""
    for key, prefix in _KINDS.items():
        for name, section in _mapping(_mapping(document.value).get(key)).items():
            given = _mapping(section)
            operation = given.get("operation", "read")
            yield DeclaredThing(
                action=f"{server}/{prefix}{name}",
                server=server,
                operation=operation if isinstance(operation, str) else "",
                categories=frozenset(_texts(given.get("data_categories"))),
                arguments={
                    name: _mapping(one) for name, one in _mapping(given.get("arguments")).items()
                },
            )


def _mapping(value: Plain) -> Mapping[str, Plain]:
    return value if isinstance(value, dict) else {}


def _texts(value: Plain) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

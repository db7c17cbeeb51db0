"""What Remit itself declares: the scopes of the management API and the environment of its agents.

A repository may use them, in roles and in the files of agents, and may not declare them anew:
a scope that reads like one of ours would be granted under a title of somebody else's choice.
Agents that nobody has registered never stand in the management environment.

Source: docs/adr/0010-management-api.md.
"""

from collections.abc import Iterator
from typing import Final

from remit.documents import ANY, Document, Pattern, Problem, quoted
from remit.model import (
    MANAGEMENT,
    MANAGEMENT_ENVIRONMENT,
    MANAGEMENT_SCOPES,
    MANAGEMENT_SYSTEM,
)
from remit.repository.draft import Draft, names_under, strings_at

__all__ = ["BUILT_IN_ENVIRONMENTS", "BUILT_IN_SCOPES", "check_reserved"]

BUILT_IN_SCOPES: Final = frozenset[str](MANAGEMENT_SCOPES)
BUILT_IN_ENVIRONMENTS: Final = frozenset[str]({MANAGEMENT_ENVIRONMENT})

_ELSEWHERE: Final = "another name; this one is the management API's"


def check_reserved(draft: Draft) -> Iterator[Problem]:
    """Every declaration of what is declared already, and every use where it may not stand."""
    yield from _scopes(draft)
    yield from _environments(draft)
    for stem, document in draft.servers.items():
        if stem == MANAGEMENT.name:
            yield document.problem((), f"the name {quoted(stem)} is taken", expected=_ELSEWHERE)


def _scopes(draft: Draft) -> Iterator[Problem]:
    if draft.scopes is None:
        return
    for name in sorted(names_under(draft.scopes) or ()):
        if name.startswith(f"{MANAGEMENT_SYSTEM}:"):
            message = f"the scope {quoted(name)} is not the repository's to declare"
            yield draft.scopes.problem((name,), message, expected=_ELSEWHERE, at_key=True)


def _environments(draft: Draft) -> Iterator[Problem]:
    places: list[tuple[Document | None, Pattern]] = [
        (draft.root, ("environments", ANY)),
        (draft.root, ("unregistered", "environments", ANY)),
        *((document, ("environment",)) for document in draft.servers.values()),
    ]
    for document, pattern in places:
        for path, name in strings_at(document, pattern):
            if document is not None and name in BUILT_IN_ENVIRONMENTS:
                message = f"the environment {quoted(name)} is for agents that administer Remit"
                yield document.problem(path, message, expected="another environment")

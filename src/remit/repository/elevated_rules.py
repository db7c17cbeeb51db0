"""What may not be said of an elevated scope: anything by which it would be had, or asked of everybody, without people.

Refused: an ordinary scope that covers one, since whoever holds the former holds the latter; one that stands for a
request which names none; and a thing that needs one always, which no token could ever use.

Source: MISSION C2; docs/adr/0025-cures.md.
"""

from collections.abc import Iterator
from typing import Final

from remit.documents import ANY, Problem, quoted
from remit.ids import ScopeName
from remit.repository.draft import Draft, strings_at
from remit.scopes import Hierarchy

__all__ = ["check_elevated"]

_THINGS: Final = ("tools", "resources", "prompts")
_BY_POLICY: Final = "a policy with `@require_scope` that asks for it where it is needed"


def check_elevated(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything that is wrong about the scopes with `elevated: true`."""
    scopes = draft.scopes
    if scopes is None:
        return
    elevated = {str(path[0]) for path, node in scopes.find((ANY, "elevated")) if node.value is True}
    if not elevated:
        return
    for path, lower in strings_at(scopes, (ANY, "covers", ANY)):
        upper = str(path[0])
        reached = {lower, *hierarchy.get(ScopeName(lower), ())} & elevated
        if upper not in elevated and reached:
            yield scopes.problem(
                path,
                f"{quoted(upper)} would be the elevated scope {quoted(min(reached))} by another name",
                expected="an elevated scope, or one that covers none",
            )
    if draft.root is not None:
        for path, scope in strings_at(draft.root, ("issuer", "default_scopes", ANY)):
            if scope in elevated:
                yield draft.root.problem(
                    path, f"no token says the elevated scope {quoted(scope)}", expected=_BY_POLICY
                )
    for document in draft.servers.values():
        places = (("baseline_scopes", ANY), *((one, ANY, "scopes", ANY) for one in _THINGS))
        for path, scope in (found for place in places for found in strings_at(document, place)):
            if scope in elevated:
                yield document.problem(
                    path, f"no token says the elevated scope {quoted(scope)}", expected=_BY_POLICY
                )

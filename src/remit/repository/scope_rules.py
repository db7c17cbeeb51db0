"""What `scopes.yaml` may not say: two scopes that claims could fill to one name.

`hr:{department}.read` is `hr:payroll.read` for whoever is of the department `payroll`: who grants the one would
grant the other, and the person who edits the user directory would decide who gets it.

Source: MISSION B2; RFC 6749 §3.3.
"""

from collections.abc import Iterator

from remit.documents import ANY, Problem, quoted
from remit.repository.draft import Draft
from remit.scopes import is_scope_name, may_become_one

__all__ = ["check_scopes"]


def check_scopes(draft: Draft) -> Iterator[Problem]:
    """Every scope that could come to the name of an earlier one."""
    document = draft.scopes
    if document is None:
        return
    # A name that is none is a mistake of its own.
    names = [name for path, _ in document.find((ANY,)) if is_scope_name(name := str(path[0]))]
    place = {name: number for number, name in enumerate(names)}
    bound = [name for name in names if "{" in name]
    clashing = {
        tuple(sorted((one, other), key=lambda name: place[name]))
        for one in bound
        for other in names
        if one != other and may_become_one(one, other)
    }
    for first, second in sorted(clashing):
        yield document.problem(
            (second,),
            f"{quoted(second)} can come to the same name as {quoted(first)}",
            expected="names that no claim makes equal",
            at_key=True,
        )

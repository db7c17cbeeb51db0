"""Whether enough people said yes: each answer counts for one approval at most, and is given where it does most.

Pure. A confirmation of the person counts for all that they are asked to confirm. Whoever could answer for two roles is
counted for the one that nobody else is there for; one person never fills two places.

Source: docs/adr/0025-cures.md, "Who may answer"; NIST SP 800-53 AC-3(2) (dual authorization).
"""

from collections.abc import Sequence

from remit.approvals.request import Answer, Part, PartKind, Request, Verdict

__all__ = ["counted_for", "need_name", "outstanding"]


def outstanding(request: Request) -> tuple[Part, ...]:
    """What is wanting still, each with the number of people that it still takes."""
    taken = counted_for(request.parts, request.answers)
    left: list[Part] = []
    for place, part in enumerate(request.parts):
        if len(taken[place]) < part.quorum:
            left.append(part)
    return tuple(left)


def counted_for(parts: Sequence[Part], answers: Sequence[Answer]) -> tuple[tuple[Answer, ...], ...]:
    """For each part, the answers that count for it: as many of all that is wanted as these people can meet."""
    said_yes = [one for one in answers if one.verdict is not Verdict.REFUSED]
    seats = [
        place
        for place, part in enumerate(parts)
        if part.kind is PartKind.APPROVAL
        for _ in range(part.quorum)
    ]
    holder: dict[int, int] = {}
    approvers = [index for index, one in enumerate(said_yes) if one.verdict is Verdict.APPROVED]
    for index in approvers:
        _seat(index, said_yes, seats, holder=holder, tried=set())
    taken: list[tuple[Answer, ...]] = []
    for place, part in enumerate(parts):
        if part.kind is PartKind.CONFIRMATION:
            confirmed = [one for one in said_yes if one.verdict is Verdict.CONFIRMED]
            taken.append(tuple(one for one in confirmed if place in one.counts_for))
        else:
            mine = sorted(holder[seat] for seat in holder if seats[seat] == place)
            taken.append(tuple(said_yes[index] for index in mine))
    return tuple(taken)


def need_name(part: Part) -> str:
    """What a part takes, as the log and the pages call it: `approval:manager`, `confirmation:urn:…`, `scope:…`."""
    if part.kind is PartKind.APPROVAL:
        return f"approval:{part.role}"
    if part.scope is not None:
        return f"scope:{part.scope}"
    return f"confirmation:{part.acr}" if part.acr is not None else "confirmation"


def _seat(
    index: int,
    answers: Sequence[Answer],
    seats: Sequence[int],
    *,
    holder: dict[int, int],
    tried: set[int],
) -> bool:
    """Find a seat for an answer, having those who are in the way move over; a bipartite matching."""
    for seat, place in enumerate(seats):
        if place not in answers[index].counts_for or seat in tried:
            continue
        tried.add(seat)
        if seat not in holder or _seat(holder[seat], answers, seats, holder=holder, tried=tried):
            holder[seat] = index
            return True
    return False

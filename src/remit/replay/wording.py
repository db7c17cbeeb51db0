"""The words in which a plan is told, the same in every form."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from remit.replay.plan import Plan
from remit.replay.report import Group, ReplayReport, Shift
from remit.replay.skipped import WHY

__all__ = [
    "HEADLINES",
    "counted",
    "headline",
    "skipped_told",
    "thing",
    "transition",
    "verdict",
    "who",
]

HEADLINES: Final[Mapping[Shift, tuple[str, str]]] = MappingProxyType(
    {
        Shift.NEWLY_ALLOWED: ("Newly allowed", "refused now, and would be allowed"),
        Shift.NEWLY_REFUSED: ("Newly refused", "allowed now, and would be refused"),
        Shift.CHALLENGE: (
            "Refused otherwise",
            "not allowed either way, but the client would be sent for other scopes, or told something else",
        ),
        Shift.OBSERVED: (
            "Would be refused by rules in observe mode",
            "allowed, but a rule that only watches would refuse them",
        ),
        Shift.UNDECIDED: ("Cannot be told", "something that would matter was not recorded"),
        Shift.DRIFT: (
            "Cannot be reproduced",
            "decided again by what had decided them, they come out otherwise",
        ),
        Shift.RULES: ("Same outcome, other rules", "decided alike, for another reason"),
    }
)


def counted(number: int, noun: str) -> str:
    """`1 call`, `2,000 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def headline(plan: Plan) -> str:
    """The whole of it in one sentence."""
    parts: list[str] = []
    if plan.difference is not None:
        count = len(plan.difference.changes)
        parts.append(
            counted(count, "declared change") if count else "nothing is declared otherwise"
        )
    replayed = plan.replay
    if replayed is not None and replayed.decided:
        parts.append(
            f"of {counted(replayed.decided, 'recorded call')}, {replayed.newly_allowed:,} would be newly"
            f" allowed and {replayed.newly_refused:,} newly refused"
        )
    elif replayed is not None:
        parts.append("no recorded call could be decided again")
    return "; ".join(parts) or "there is nothing to tell"


def verdict(plan: Plan) -> tuple[str, str]:
    """A word for how careful a reviewer should be (`danger`, `care`, `fine`), and why."""
    difference, replayed = plan.difference, plan.replay
    if replayed is not None and replayed.privileged_newly_allowed:
        return "danger", "Calls that need something privileged would be newly allowed."
    if difference is not None and difference.privileged:
        return "danger", "It lets somebody do more with something privileged, or may."
    if replayed is not None and replayed.newly_allowed:
        return "care", "Calls that were refused would be allowed."
    if difference is not None and difference.widening:
        return "care", "It lets somebody do more, or may, with nothing privileged."
    if replayed is not None and (replayed.newly_refused or replayed.undecided or replayed.drifted):
        return "care", "Somebody could do less than they did, or it cannot be told."
    return "fine", "Nobody could do more, and nothing that was done would be refused."


def who(group: Group) -> str:
    """The person and the agent."""
    return f"{group.user} through {group.agent}" if group.user else f"{group.agent}, for itself"


def thing(group: Group) -> str:
    """What was called."""
    return f"{group.server}/{group.name}"


def transition(group: Group) -> str:
    """From what to what, and by which rules."""
    return f"{_side(group.before, group.rules_before)} → {_side(group.after, group.rules_after)}"


def skipped_told(replayed: ReplayReport) -> Sequence[tuple[int, str]]:
    """What was not decided again: how many, and why."""
    return [(count, WHY.get(name, name)) for name, count in replayed.skipped.items()]


def _side(words: str, rules: tuple[str, ...]) -> str:
    outcome, _, reason = words.partition(" ")
    said = f"{outcome} ({reason})" if reason else outcome
    return f"{said} by {', '.join(rules)}" if rules else said

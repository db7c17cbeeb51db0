"""Why a case came out as it did, in words: for the terminal, the reports of CI and machines alike."""

from collections.abc import Iterable, Iterator

from remit.casebook.case import Outcome, Question
from remit.casebook.report import Found
from remit.documents import quoted
from remit.policy.decision import MatchedRule, RuleEffect

__all__ = ["circumstances", "reasons"]


def circumstances(question: Question) -> str:
    """Who asked for what, through which agent."""
    person = question.person
    if person is None:
        return f"{question.thing} by {question.agent} itself"
    known = [*person.roles, *(f"{name}={value}" for name, value in person.attributes.items())]
    who = f"{person.id} ({': '.join(filter(None, [person.tenant, ', '.join(known)]))})"
    return f"{question.thing} for {who} through {question.agent}"


def reasons(found: Found) -> Iterator[str]:
    """What made the answer, the decisive first."""
    forbids = [one for one in found.rules if one.effect is RuleEffect.FORBID]
    permits = [one for one in found.rules if one.effect is RuleEffect.PERMIT]
    if forbids:
        yield f"forbidden by {_names(forbids)}"
    elif found.outcome is not Outcome.ALLOW and found.reason == "forbidden":
        yield "no policy permits it"
    if permits and found.outcome is Outcome.ALLOW:
        yield f"permitted by {_names(permits)}"
    for duty in found.obligations:
        yield f"`{duty.rule}` asks for {duty.kind.value} {quoted(duty.value)}"
    for need in found.needs:
        if need not in found.obligations:
            yield f"`{need.rule}` is cured by {need.kind.value} {quoted(need.value)}"
    if found.observed:
        yield f"on trial, and would have refused: {_names(found.observed)}"
    if found.missing:
        yield f"the token lacks {_listed(found.missing)}"
        yield f"it holds {_listed(found.held) or 'nothing'}"
    if found.reason == "above_clearance":
        yield "it is more sensitive than the agent may touch"
    if found.message and not forbids:
        yield f"the caller is told: {found.message}"
    for error in found.errors:
        yield f"the engine failed: {error}"
    for scope, why in (found.withheld or {}).items():
        yield f"{quoted(scope)} is withheld: {why}"


def _names(rules: Iterable[MatchedRule]) -> str:
    return _listed(rule.id for rule in rules)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)

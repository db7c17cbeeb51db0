"""What annotations ask for besides yes or no, as their authors write it, and when it is met.

A value that cannot be read is no obligation here: `annotations` refuses it before anything is loaded.
What cures a `forbid` becomes a condition of it, so that one which is cured does not match; what a `permit`
asks for is looked at by the guard once the policy has decided. Whether something is met is told from the
question alone.

Source: docs/reference/policies.md, annotations.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.clock import Seconds
from remit.model import ACR_VALUES, Mode
from remit.model.justification import says_something, told_in
from remit.policy.evaluation import ArgumentValue, Evaluation
from remit.policy.facts import age_of_authentication, age_of_confirmation
from remit.policy.obligation import Obligation, ObligationKind
from remit.scopes import is_scope_token

__all__ = [
    "Limit",
    "age_of",
    "condition_of",
    "is_blank",
    "is_met",
    "is_observed",
    "is_readable",
    "is_told",
    "limit_of",
    "obligations_of",
    "strengths_of",
    "words_of",
]

_LIMIT: Final = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})([smhd])")
_AGE: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_ARGUMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OBJECT: Final = '{"'
"""How the text of an object begins that tells something by its name."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls within so long."""

    calls: int
    window: Seconds


def obligations_of(annotations: Mapping[str, str], rule: str) -> tuple[Obligation, ...]:
    """What the annotations of the policy `rule` ask for, in the order of their kinds."""
    found: list[Obligation] = []
    for kind in ObligationKind:
        written = annotations.get(kind.value)
        if written is not None:
            values = words_of(written) if kind is ObligationKind.REDACT else (written.strip(),)
            found += [Obligation(kind=kind, value=value, rule=rule) for value in values]
    return tuple(found)


def is_observed(annotations: Mapping[str, str]) -> bool:
    """Whether the policy is on trial: it decides nothing, and what it would have refused is told."""
    return annotations.get("mode") == Mode.OBSERVE


def is_readable(obligation: Obligation) -> bool:
    """Whether `obligation`, which came from elsewhere, says something that can be done."""
    value = obligation.value
    match obligation.kind:
        case ObligationKind.LIMIT:
            return limit_of(value) is not None
        case ObligationKind.STEP_UP:
            return age_of(value) is not None or bool(strengths_of(value))
        case ObligationKind.CONFIRM:
            return bool(strengths_of(value))
        case ObligationKind.REQUIRE_SCOPE:
            return is_scope_token(value)
        case ObligationKind.REDACT:
            return _ARGUMENT.fullmatch(value) is not None
        case _:
            return value.isprintable() and bool(value.strip())


def words_of(written: str) -> tuple[str, ...]:
    """The names in a list with commas."""
    return tuple(dict.fromkeys(one.strip() for one in written.split(",")))


def is_blank(given: ArgumentValue) -> bool:
    """Whether `given` is a text that says nothing: without a letter or a digit that can be seen."""
    return isinstance(given, str) and not says_something(given)


def limit_of(value: str) -> Limit | None:
    """What `10/1h` says; `None` for what says nothing."""
    found = _LIMIT.fullmatch(value)
    if found is None:
        return None
    window = int(found[2]) * _UNITS[found[3]]
    return Limit(int(found[1]), Seconds(window)) if window <= _LONGEST else None


def age_of(value: str) -> Seconds | None:
    """The longest age of an authentication that `5m` says; `None` for what says none."""
    found = _AGE.fullmatch(value)
    if found is None:
        return None
    age = int(found[1]) * _UNITS[found[2]]
    return Seconds(age) if age <= _LONGEST else None


def strengths_of(value: str) -> tuple[str, ...]:
    """The `acr` values that are as strong as `value`; none when it is no strength that anybody knows."""
    return ACR_VALUES[ACR_VALUES.index(value) :] if value in ACR_VALUES else ()


def condition_of(obligation: Obligation) -> str | None:
    """What of a question cures a `forbid`, in Cedar; `None` when nothing that a question has does."""
    value = obligation.value
    match obligation.kind:
        case ObligationKind.REQUIRE_JUSTIFICATION:
            # Cedar cannot tell a blank text from another: the engine is told the empty one in its place.
            argument = f'context.arguments has {value} && context.arguments.{value} != ""'
            return f"({_told(value)}) || (context has arguments && {argument})"
        case ObligationKind.STEP_UP:
            return f"({_proved('authentication', value)}) || ({_proved('elevation', value)})"
        case ObligationKind.CONFIRM:
            return _proved("elevation", value)
        case ObligationKind.REQUIRE_SCOPE:
            held = ("token", "elevation")
            return " || ".join(f'context.{one}.scopes.contains("{value}")' for one in held)
        case ObligationKind.REQUIRE_APPROVAL:
            return f'context.elevation.roles.contains("{value}")'
        case ObligationKind.REDACT:
            return ""
        case _:
            return None


def is_told(name: str, justification: str | None) -> bool:
    """Whether it was said why: in an object by that `name`, and in a line by any."""
    if justification is None:
        return False
    return not justification.startswith(_OBJECT) or name in told_in(justification)


def _told(name: str) -> str:
    """The same, in Cedar. Within a line of canonical JSON a quotation mark is escaped: none can pass for the object's own."""
    said = "context.justification"
    return (
        f'context has justification && (!({said} like "{{\\"*") || '
        f'{said} like "*\\"{name}\\":\\"*")'
    )


def _proved(where: str, value: str) -> str:
    """That the person proved who they are as `value` says, in Cedar."""
    proved, age = f"context.{where}", age_of(value)
    if age is not None:
        return f"{proved} has age_seconds && {proved}.age_seconds <= {age}"
    strong = ", ".join(f'"{one}"' for one in strengths_of(value))
    return f"{proved} has acr && [{strong}].contains({proved}.acr)"


def is_met(obligation: Obligation, evaluation: Evaluation) -> bool:
    """Whether the question itself has what a `permit` asks for. A limit is for the guard to count."""
    match obligation.kind:
        case ObligationKind.REQUIRE_JUSTIFICATION:
            context = evaluation.context
            if is_told(obligation.value, context.justification):
                return True
            given = (context.arguments or {}).get(obligation.value)
            return given is not None and not is_blank(given)
        case ObligationKind.STEP_UP:
            return _is_proved(
                obligation.value, evaluation.token.acr, age_of_authentication(evaluation)
            ) or _is_confirmed(obligation.value, evaluation)
        case ObligationKind.CONFIRM:
            return _is_confirmed(obligation.value, evaluation)
        case ObligationKind.REQUIRE_SCOPE:
            elevated = evaluation.context.elevation.scopes
            return obligation.value in (*evaluation.token.scopes, *elevated)
        case ObligationKind.REQUIRE_APPROVAL:
            return obligation.value in evaluation.context.elevation.roles
        case ObligationKind.REDACT | ObligationKind.LIMIT:
            return True


def _is_confirmed(value: str, evaluation: Evaluation) -> bool:
    """Whether the person confirmed this very call, as strongly or as lately as `value` says."""
    return _is_proved(value, evaluation.context.elevation.acr, age_of_confirmation(evaluation))


def _is_proved(value: str, acr: str | None, age: int | None) -> bool:
    most = age_of(value)
    return acr in strengths_of(value) if most is None else age is not None and age <= most

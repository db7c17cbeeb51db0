"""What an engine tells beside yes and no: which policies decided, words for the caller, what else has to be done.

Names and words are for people: what is no short printable text is left out. An obligation is part of the
decision: one that is not understood makes it no answer at all.
"""

from collections.abc import Iterable
from typing import Final

from remit.canonical import Json
from remit.policy.decision import MatchedRule, RuleEffect
from remit.policy.obligation import Obligation, ObligationKind
from remit.policy.port import EngineUnavailableError

__all__ = ["obligations_in", "rules_of", "text_in"]

_MAX_TEXT: Final = 256
_MAX_RULES: Final = 16
_UNNAMED: Final = "decision"


def text_in(value: Json) -> str | None:
    """`value`, if it is a short line of printable text."""
    fits = isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable()
    return value if fits and isinstance(value, str) else None


def rules_of(
    names: Iterable[str], *, allowed: bool, message: str | None
) -> tuple[MatchedRule, ...]:
    """The policies of those names; of a refusal they carry its words, if there are any."""
    known = list(dict.fromkeys(names))[:_MAX_RULES]
    if allowed:
        return tuple(MatchedRule(id=name, effect=RuleEffect.PERMIT) for name in known)
    if message is not None and not known:
        known = [_UNNAMED]
    return tuple(MatchedRule(id=name, effect=RuleEffect.FORBID, message=message) for name in known)


def obligations_in(value: Json, *, rule: str) -> tuple[Obligation, ...]:
    """The obligations in `value`: a list of objects with `kind` and `value`, or nothing.

    Raises:
        EngineUnavailableError: one of them is not understood.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MAX_RULES:
        raise EngineUnavailableError("the obligations of an answer are no list")
    return tuple(_obligation(one, rule) for one in value)


def _obligation(given: Json, rule: str) -> Obligation:
    if isinstance(given, dict) and given.keys() == {"kind", "value"}:
        kind, value = given["kind"], text_in(given["value"])
        if isinstance(kind, str) and kind in set(ObligationKind) and value is not None:
            return Obligation(kind=ObligationKind(kind), value=value, rule=rule)
    raise EngineUnavailableError("an obligation of an answer is not understood")

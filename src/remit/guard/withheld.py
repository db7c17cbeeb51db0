"""What a policy may have read and the record does not show: sealed into it, so that the call can be decided again.

Only the arguments that the catalog declares, only those whose value the log does not hold as it is; the
person's attributes; the token's authorization details; the caller's justification. Never an argument that the catalog, or a policy, says is to
be kept nowhere: whether such a call would be decided otherwise cannot be told afterwards.

Source: docs/adr/0022-replay.md; docs/guides/planning.md.
"""

from collections.abc import Collection, Sequence
from typing import Final

import orjson

from remit.audit.redact import MAX_SEALED_BYTES, Redaction
from remit.canonical import Json, JsonObject
from remit.guard.call import Call
from remit.guard.facts import value_at
from remit.guard.redaction import spoken
from remit.model import Argument, AuditTreatment
from remit.policy.decision import Decision
from remit.policy.evaluation import ResourceKind
from remit.policy.obligation import ObligationKind
from remit.tokens.access_token import AccessToken

__all__ = [
    "ARGUMENTS",
    "ATTRIBUTES",
    "AUDIENCE",
    "DETAILS",
    "JUSTIFICATION",
    "NAME",
    "is_shown",
    "unsaid_by",
    "withheld",
]

ARGUMENTS: Final = "a"
ATTRIBUTES: Final = "t"
DETAILS: Final = "d"
AUDIENCE: Final = "u"
NAME: Final = "n"
JUSTIFICATION: Final = "j"

_SHOWN_CHARACTERS: Final = 256
_SHOWN_INTEGER: Final = 2**53 - 1
_SHOWN_ITEMS: Final = 128
_NONE: Final[frozenset[str]] = frozenset()
_STAND_INS: Final = ("tok1.", "****")
_UNREDACTED: Final = Redaction(input={}, digest=None)


def withheld(
    call: Call,
    token: AccessToken,
    declared: Sequence[Argument],
    *,
    redaction: Redaction = _UNREDACTED,
    unsaid: frozenset[str] = _NONE,
) -> bytes | None:
    """What to seal; `None` when the record shows all that matters, as `redaction` has it.

    `unsaid`: arguments that a policy wants kept nowhere. What rules want sealed is left out where that would be too much.
    """
    if call.name is None:
        return None  # a list, or a method that uses nothing: there is nothing to decide again
    content: JsonObject = {}
    if declared and call.arguments:
        hidden = _hidden(call.arguments, declared, unsaid, redaction)
        if hidden:
            content[ARGUMENTS] = hidden
    if token.attributes:
        content[ATTRIBUTES] = dict(token.attributes)
    if token.authorization_details:
        content[DETAILS] = list(token.authorization_details)
        content[AUDIENCE] = token.aud
    if call.kind is ResourceKind.RESOURCE and not (
        is_shown(call.name) and spoken(call.name) == call.name
    ):
        content[NAME] = call.name
    if call.justification is not None:
        content[JUSTIFICATION] = call.justification
    try:
        if redaction.sealing:
            more = {ARGUMENTS: {**redaction.sealing, **_object(content.get(ARGUMENTS))}}
            whole = orjson.dumps({**content, **more})
            if len(whole) <= MAX_SEALED_BYTES:
                return whole
        return orjson.dumps(content) if content else None
    except TypeError:  # no JSON of ours: not kept, which makes the call one that cannot be replayed
        return None


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def unsaid_by(decision: Decision | None) -> frozenset[str]:
    """The arguments of which a policy that decided wants nothing kept."""
    if decision is None or not decision.obligations:
        return _NONE
    return frozenset(one.value for one in decision.obligations if one.kind is ObligationKind.REDACT)


def _hidden(
    arguments: JsonObject,
    declared: Sequence[Argument],
    unsaid: frozenset[str],
    redaction: Redaction,
) -> JsonObject:
    """The values at the pointers of `declared` that the log does not hold."""
    dropped = list(redaction.dropped)
    for one in declared:
        if one.audit is AuditTreatment.DROP or one.name in unsaid:
            dropped.append(one.pointer)  # noqa: PERF401  every call comes by here, and a loop makes no frame
    found: JsonObject = {}
    for one in declared:
        if dropped and _is_within(one.pointer, dropped):
            continue
        value = value_at(arguments, one.pointer)
        if value is None:
            continue
        if one.audit is not AuditTreatment.KEEP or not _is_held(value, one.pointer, redaction):
            found[one.pointer] = value
        if one.currency_pointer is not None and not _is_within(one.currency_pointer, dropped):
            found[one.currency_pointer] = value_at(arguments, one.currency_pointer)
    return found


def _is_within(pointer: str, dropped: Collection[str]) -> bool:
    """Whether what is at `pointer` is, or is part of, what is to be kept nowhere."""
    return any(pointer == one or pointer.startswith(f"{one}/") for one in dropped)


def _is_held(value: Json, pointer: str, redaction: Redaction) -> bool:
    """Whether the record has `value` as it was given: no detector found anything in it, and no rule was stricter."""
    if not is_shown(value):
        return False
    return redaction is _UNREDACTED or value_at(redaction.input, pointer) == value


def is_shown(value: Json) -> bool:
    """Whether the log holds `value` as it is, where it may hold it at all."""
    if isinstance(value, str):
        return (
            len(value) < _SHOWN_CHARACTERS
            and value.isprintable()
            and not value.startswith(_STAND_INS)
        )
    if isinstance(value, list):
        return len(value) <= _SHOWN_ITEMS and all(
            isinstance(one, str) and is_shown(one) for one in value
        )
    if isinstance(value, bool) or value is None:
        return True
    return isinstance(value, int) and abs(value) <= _SHOWN_INTEGER

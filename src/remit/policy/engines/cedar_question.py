"""A question as Cedar can be asked it: what of it is open, whether it is within the schema, entities as text."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from remit.policy.cedar_request import address_json
from remit.policy.engines.cedar_place import Bucket, Place
from remit.policy.evaluation import Evaluation, Phase
from remit.policy.facts import local_time
from remit.policy.vocabulary import ARGUMENTS, HISTORY, SAID

__all__ = ["is_regular", "literal", "open_to", "with_nothing"]

_MAX_LONG: Final = 2**63 - 1
_NOTHING: Final[frozenset[str]] = frozenset()
_ESCAPES: Final = MappingProxyType(
    {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


def open_to(evaluation: Evaluation) -> frozenset[str]:
    """What only a call brings, and is not known yet. Why somebody may call is never known before."""
    if evaluation.phase is not Phase.LIST:
        return _NOTHING
    context = evaluation.context
    unknown = set(SAID)
    if context.arguments is None:
        unknown.add(ARGUMENTS)
    if context.history is None:
        unknown.add(HISTORY)
    return frozenset(unknown)


def with_nothing(evaluation: Evaluation, place: Place, bucket: Bucket) -> Evaluation:
    """The question with something for each fact of history that the schema wants, nobody told and no policy reads."""
    context = evaluation.context
    told = context.history or {}
    past = {**place.history.nothing(but=bucket.reads_history), **told}
    return replace(evaluation, context=replace(context, history=past))


def is_regular(evaluation: Evaluation, place: Place) -> bool:
    """Whether a question is within the schema in all that a caller could bring; what is not, Cedar refuses."""
    context, auth_time = evaluation.context, evaluation.token.auth_time
    try:
        local_time(context.now, context.time_zone)
        if context.ip is not None:
            address_json(context.ip)
    except (ValueError, OverflowError, OSError, KeyError):
        return False
    if auth_time is not None and not 0 <= auth_time <= _MAX_LONG:
        return False
    if evaluation.phase is Phase.ISSUE:
        return True
    if context.history is not None and not place.history.admits(context.history):
        return False
    # What policies ask of the past, and nobody told, Cedar refuses for want of it.
    if evaluation.phase is Phase.CALL and not place.reads_history <= (context.history or {}).keys():
        return False
    if context.arguments is None:
        return evaluation.phase is Phase.LIST
    return place.conformity.admits(context.arguments)


def literal(uid: Mapping[str, str]) -> str:
    """An entity as Cedar itself writes it, for the one call that takes no other form."""
    return f'{uid["type"]}::"{"".join(_escaped(character) for character in uid["id"])}"'


def _escaped(character: str) -> str:
    """As Rust's `escape_debug`, which Cedar demands to the letter."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"

"""Several questions in one request: the values they share, and when to stop.

Refused: more questions than a request may hold, a semantic that the standard does not know, a
question that is no object. An absent or empty list is one question, the request itself.

Source: AuthZEN 1.0 §7.1, §7.1.1 (default values), §7.1.2.1 (semantics).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remit.api.authzen.question import BadQuestionError
from remit.canonical import Json, JsonObject

__all__ = ["MAX_EVALUATIONS", "Batch", "Semantic", "batch_of"]

MAX_EVALUATIONS: Final = 100
_SHARED: Final = ("subject", "action", "resource", "context")


class Semantic(StrEnum):
    """Which answers are given."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"

    def ends_with(self, *, decision: bool) -> bool:
        """Whether nothing is asked after an answer of `decision`."""
        if self is Semantic.DENY_ON_FIRST_DENY:
            return not decision
        return self is Semantic.PERMIT_ON_FIRST_PERMIT and decision


@dataclass(frozen=True, slots=True)
class Batch:
    """The questions, each whole, in their order."""

    documents: tuple[JsonObject, ...]
    semantic: Semantic


def batch_of(document: JsonObject) -> Batch | None:
    """The questions in `document`; `None` where it is a single one.

    Raises:
        BadQuestionError: see the module.
    """
    listed = document.get("evaluations")
    if listed is None or listed == []:
        return None
    if not isinstance(listed, list):
        raise BadQuestionError("`evaluations` is not a list")
    if len(listed) > MAX_EVALUATIONS:
        raise BadQuestionError(f"more than {MAX_EVALUATIONS} evaluations in one request")
    shared: JsonObject = {name: document[name] for name in _SHARED if name in document}
    return Batch(tuple({**shared, **_one(item)} for item in listed), _semantic(document))


def _one(item: Json) -> JsonObject:
    if not isinstance(item, dict):
        raise BadQuestionError("an evaluation is not an object")
    return item


def _semantic(document: JsonObject) -> Semantic:
    options = document.get("options")
    if options is None:
        return Semantic.EXECUTE_ALL
    if not isinstance(options, dict):
        raise BadQuestionError("`options` is not an object")
    named = options.get("evaluations_semantic", Semantic.EXECUTE_ALL.value)
    if not isinstance(named, str) or named not in {one.value for one in Semantic}:
        raise BadQuestionError("`options.evaluations_semantic` is none that the standard knows")
    return Semantic(named)

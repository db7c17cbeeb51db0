"""The policies that decided, where each stands now, and what it looked at; or those that could have permitted, and did not."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from remit.api.explanation.readings import readings_of
from remit.api.explanation.reason import engine_elsewhere
from remit.api.explanation.rebuilt import Rebuilt, policies_about
from remit.canonical import JsonObject
from remit.guard.outcome import RefusalReason
from remit.policy import PolicySource
from remit.policy.check import CheckedPolicy
from remit.policy.decision import RuleEffect
from remit.policy.evaluation import Evaluation
from remit.policy.places import PolicyPlace, places_of

__all__ = ["policies_told"]

_MOST_UNMATCHED: Final = 8


def policies_told(
    entry: JsonObject,
    rebuilt: Rebuilt | None,
    asked: Evaluation | None,
    *,
    policies: Sequence[CheckedPolicy],
    sources: Sequence[PolicySource],
) -> list[JsonObject]:
    """Every policy that decided. Where none did, for none permits it, those about the thing that did not match."""
    body: Any = entry["body"]
    places = places_of(sources)
    elsewhere = engine_elsewhere(body)
    told: list[JsonObject] = []
    for rule in body["rules"]:
        place = None if elsewhere is not None else places.get(rule["id"])
        known: JsonObject = {} if elsewhere is None else {"of": f"in the engine {elsewhere}"}
        if place is not None:
            known = _placed(place, entry, rebuilt, asked)
        told.append({"id": rule["id"], "effect": rule["effect"], "matched": True, **known})
    if told or elsewhere is not None or body["reason"] != RefusalReason.FORBIDDEN:
        return told
    return [
        {"id": place.id, "effect": place.effect.value, "matched": False,
         **_placed(place, entry, rebuilt, asked)}
        for place in _unmatched(rebuilt, policies, places)
    ]  # fmt: skip


def _placed(
    place: PolicyPlace, entry: JsonObject, rebuilt: Rebuilt | None, asked: Evaluation | None
) -> JsonObject:
    return {
        "file": f"policies/{place.file.removeprefix('policies/')}",
        "line": place.line,
        "refusal": place.refusal,
        "reads": [*readings_of(place, entry, rebuilt, asked)],
    }


def _unmatched(
    rebuilt: Rebuilt | None, policies: Sequence[CheckedPolicy], places: Mapping[str, PolicyPlace]
) -> list[PolicyPlace]:
    """The permits about the thing, as they stand now."""
    if rebuilt is None or rebuilt.target is None:
        return []
    found = [
        places[one.id] for one in policies_about(policies, rebuilt.target.facts) if one.id in places
    ]
    return [one for one in found if one.effect is RuleEffect.PERMIT][:_MOST_UNMATCHED]

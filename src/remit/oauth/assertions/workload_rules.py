"""Which workload an assertion is about: the first rule of its issuer whose every claim matches.

A claim that is absent matches nothing, nor does a claim that could be read in two ways, a list,
an object, or a rule without claims. Values are compared exactly; one that ends in `*` matches
what begins with the rest, and only such a one. Nothing of a claim is looked for within another.

Source: RFC 7523 §3 (`sub`); AS-70, AS-71.
"""

from collections.abc import Sequence

from remit.canonical import Json, JsonObject
from remit.model import WorkloadRule

__all__ = ["matching_rule"]


def matching_rule(rules: Sequence[WorkloadRule], claims: JsonObject) -> WorkloadRule | None:
    """The first of `rules` that `claims` match; `None` when they match none."""
    return next((rule for rule in rules if _matches(rule, claims)), None)


def _matches(rule: WorkloadRule, claims: JsonObject) -> bool:
    return bool(rule.claims) and all(
        _is_one_of(_value_at(claims, name), wanted) for name, wanted in rule.claims.items()
    )


def _is_one_of(value: str | None, wanted: Sequence[str]) -> bool:
    return value is not None and any(_equals(value, one) for one in wanted)


def _equals(value: str, wanted: str) -> bool:
    if wanted.endswith("*"):
        return value.startswith(wanted[:-1])
    return value == wanted


def _value_at(claims: JsonObject, name: str) -> str | None:
    """The claim of that name as a text, if there is exactly one way to find it.

    `kubernetes.io.namespace` is a claim of that whole name, or `namespace` within
    `kubernetes.io`; were it both, whoever may set the one could stand for the other.
    """
    found = _values_at(claims, name)
    return _text(found[0]) if len(found) == 1 else None


def _values_at(claims: JsonObject, name: str) -> list[Json]:
    found = [claims[name]] if name in claims else []
    for dot in (place for place, character in enumerate(name) if character == "."):
        inner = claims.get(name[:dot])
        if isinstance(inner, dict):
            found.extend(_values_at(inner, name[dot + 1 :]))
    return found


def _text(value: Json) -> str | None:
    """A claim as rules write it: a text, a whole number in digits, `true` or `false`."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return None

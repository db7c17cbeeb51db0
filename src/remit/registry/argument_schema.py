"""Arguments held against the schema of the tool as it was admitted.

The schema was written by a server that may be hostile, and the arguments by a caller who may be:
nothing is fetched for a `$ref`, formats are not asserted, a pattern takes time linear in the text
or, where it looks around or back, a bounded number of steps, and a schema that refers to itself so
often that checking could take seconds is not used. A schema that cannot be used takes no arguments:
its tool cannot be called until the schema or `pinning` has changed. Arguments that are too many for a
large schema are refused unchecked. What is wrong is told by its place and by the rule, never by the
value, which is the caller's own; where the schema refers to itself only that something is, for
finding out what can take twice as long with every step into the arguments.

Without a schema, arguments are any object. The dialect is 2020-12 unless the schema names another.

Source: MCP 2026-07-28 schema (Tool.inputSchema), JSON Schema 2020-12 core §9.2.1, §10.
"""

from collections.abc import Callable
from typing import Final

import jsonschema_rs

from remit.canonical import MAX_VALUES, Json, JsonObject
from remit.registry.schema_cost import Cost, cost_of, is_too_costly

__all__ = ["argument_check"]

_LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
_BOUNDED: Final = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=20_000, size_limit=1 << 20, dfa_size_limit=1 << 20
)
_LONGEST_PLACE = 120
_MOST_WORK: Final = 20_000_000
"""Schemas times values: some tenths of a second."""
_BOUNDED_PATTERN: Final = 2_000
"""As many checks as a pattern may take that looks around or back."""
_TEXT_OF_ONE_VALUE: Final = 100
_MISFIT: Final = "the arguments do not fit the schema of the tool"

Check = Callable[[Json], str | None]


def argument_check(schema: Json) -> Check:
    """What says what is wrong with the arguments of a tool with this `inputSchema`, if anything."""
    if schema is None:
        return _must_be_object
    compiled = _compiled(schema) if isinstance(schema, dict) and not is_too_costly(schema) else None
    if compiled is None:
        return _unusable
    validator, cost = compiled
    most = _MOST_WORK // cost.checks
    leads_back = cost.leads_back

    def check(arguments: Json) -> str | None:
        given = {} if arguments is None else arguments
        if not isinstance(given, dict):
            return _must_be_object(given)
        if most < MAX_VALUES and _is_more_than(given, most):
            return "the arguments are too many to be checked against the schema of the tool"
        try:
            if validator.is_valid(given):
                return None
            if leads_back:
                return _MISFIT
            return _told(next(iter(validator.iter_errors(given)), None))
        except ValueError:
            return "the arguments cannot be checked against the schema of the tool"

    return check


def _compiled(schema: JsonObject) -> tuple[jsonschema_rs.Validator, Cost] | None:
    """The validator, and what it costs to use."""
    for options, pattern in ((_LINEAR, 1), (_BOUNDED, _BOUNDED_PATTERN)):
        try:
            validator = jsonschema_rs.validator_for(
                schema, offline=True, validate_formats=False, pattern_options=options
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            continue
        cost = cost_of(schema, pattern=pattern)
        return None if cost is None else (validator, cost)
    return None


def _is_more_than(arguments: Json, most: int) -> bool:
    """Whether there are more values than `most`; a long text is as many as it takes to read."""
    count, waiting = 0, [arguments]
    while waiting and count <= most:
        value = waiting.pop()
        count += 1
        if isinstance(value, str):
            count += len(value) // _TEXT_OF_ONE_VALUE
        elif isinstance(value, dict):
            count += len(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return count > most


def _told(error: jsonschema_rs.ValidationError | None) -> str:
    if error is None:
        return _MISFIT
    place = "".join(f"/{_step(step)}" for step in error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return f"argument `{f'{place}/{_step(kind.property)}'[:_LONGEST_PLACE]}` is missing"
    rule = next((step for step in reversed(error.schema_path) if isinstance(step, str)), "schema")
    where = f"argument `{place[:_LONGEST_PLACE]}`" if place else "the arguments"
    return f"{where} must fit the rule `{rule[:40]}` of the tool's schema"


def _step(name: object) -> str:
    """One step of a JSON pointer (RFC 6901 §3), as it may stand in a message."""
    escaped = str(name).replace("~", "~0").replace("/", "~1")
    return "".join(one if one.isprintable() and one != "`" else "?" for one in escaped)


def _must_be_object(arguments: Json) -> str | None:
    if arguments is None or isinstance(arguments, dict):
        return None
    return "the arguments must be an object"


def _unusable(arguments: Json) -> str | None:
    del arguments  # whatever they are
    return "the schema of the tool cannot be used to check arguments"

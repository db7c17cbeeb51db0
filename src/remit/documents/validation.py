"""What does not fit a model, in our words and at its line.

The models are pydantic's; so is the checking. Here its findings become problems:
where each stands, what was expected, and which known key an unknown one was
meant to be.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from remit.documents.document import Document, Path
from remit.documents.problem import DocumentInvalidError, Problem, printable, quoted
from remit.documents.suggestion import did_you_mean, one_of

__all__ = ["problems_of", "validate"]

_Model = TypeVar("_Model", bound=BaseModel)

_WANTED: Final[dict[str, str]] = {
    "string_type": "text",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
    "none_required": "nothing",
}
_SECRET_KEY: Final = re.compile(r"secret|token|passw|credential|private|api_?key", re.IGNORECASE)
_FIRST_WORD: Final = re.compile(r"^[A-Z](?=[a-z]*\b)")
"""The capital that a sentence begins with, and no name that is written so."""
_BOUNDS: Final[dict[str, tuple[str, str]]] = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
    "too_short": ("min_length", "at least {} of them"),
    "too_long": ("max_length", "at most {} of them"),
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
}


def validate(document: Document, model: type[_Model]) -> _Model:
    """`document` as an instance of `model`.

    Raises:
        DocumentInvalidError: it does not fit; `problems` are all that were found.
    """
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise DocumentInvalidError(problems_of(document, error, model)) from error


def problems_of(
    document: Document, error: ValidationError, model: type[BaseModel]
) -> list[Problem]:
    """Each finding of `error` as a problem in `document`, which `model` was to read."""
    found = error.errors(include_url=False)
    return [_problem(document, details, model) for details in found if not _is_echo(details)]


def _is_echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because its items, reported themselves, do not count."""
    given = details["input"]
    return (
        details["type"] == "too_short"
        and isinstance(given, list)
        and len(given) >= details["ctx"]["min_length"]
    )


def _problem(document: Document, details: ErrorDetails, model: type[BaseModel]) -> Problem:
    at_key = "[key]" in details["loc"]
    path: Path = tuple(step for step in details["loc"] if step != "[key]")
    if details["type"] == "extra_forbidden":
        known = _fields(model, path[:-1])
        message = f"unknown key {quoted(path[-1])}{did_you_mean(str(path[-1]), known)}"
        problem = document.problem(path, message, expected=one_of(known), at_key=True)
        return _without_excerpt(problem) if _SECRET_KEY.search(str(path[-1])) else problem
    if details["type"] == "missing":
        field = _fields(model, path[:-1]).get(str(path[-1]))
        wanted = (field.description or "").rstrip(".") if field else ""
        expected = _FIRST_WORD.sub(lambda word: word[0].lower(), wanted)
        return document.problem(path, f"{quoted(path[-1])} is missing", expected=expected)
    message, expected = _words(details)
    context = details.get("ctx", {})
    problem = replace(
        document.problem(path, message, expected=expected, at_key=at_key),
        code=str(context.get("code", "")),
    )
    return _without_excerpt(problem) if context.get("hide") else problem


def _without_excerpt(problem: Problem) -> Problem:
    """The problem, but not the line: it may hold a secret, and what is printed ends up in logs."""
    return replace(problem, excerpt="")


def _words(details: ErrorDetails) -> tuple[str, str]:
    """The message, and what was expected."""
    kind = details["type"]
    context = details.get("ctx", {})
    given = details["input"]
    if kind in _WANTED:
        return f"{_name(given)} where {_WANTED[kind]} belongs", _WANTED[kind] + _hint(kind, given)
    if kind in {"enum", "literal_error"}:
        choices = [
            word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")
        ]
        return f"{quoted(given)} is not known here{did_you_mean(str(given), choices)}", one_of(
            choices
        )
    if kind in _BOUNDS:
        name, phrase = _BOUNDS[kind]
        return f"{_name(given)} is out of bounds", phrase.format(context.get(name))
    if kind == "mistake":
        return context["message"], context["expected"]
    message = details["msg"].removeprefix("Value error, ").rstrip(".")
    return printable(message[:1].lower() + message[1:]), printable(str(context.get("expected", "")))


def _name(given: object) -> str:
    match given:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return quoted(str(given).lower())
        case _:
            return quoted(given)


def _hint(kind: str, given: object) -> str:
    if kind == "string_type" and isinstance(given, bool | int | float):
        return "; put it in quotes"
    return ""


def _fields(annotation: object, path: Path) -> dict[str, FieldInfo]:
    """The fields of the model at `path` below `annotation`, by the names that files use."""
    found: dict[str, FieldInfo] = {}
    for candidate in _alternatives(annotation):
        if isinstance(candidate, type) and issubclass(candidate, RootModel):
            found.update(_fields(candidate.model_fields["root"].annotation, path))
        elif isinstance(candidate, type) and issubclass(candidate, BaseModel):
            fields = {field.alias or name: field for name, field in candidate.model_fields.items()}
            if not path:
                found.update(fields)
            elif path[0] in fields:
                found.update(_fields(fields[str(path[0])].annotation, path[1:]))
        elif path:
            found.update(_fields_inside(candidate, path))
    return found


def _fields_inside(annotation: object, path: Path) -> dict[str, FieldInfo]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not arguments:
        return {}
    if issubclass(origin, Mapping):
        return _fields(arguments[1], path[1:])
    if issubclass(origin, Sequence | AbstractSet):
        return _fields(arguments[0], path[1:])
    return {}


def _alternatives(annotation: Any) -> Iterator[object]:
    """The types that a value of `annotation` may have, unwrapped."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _alternatives(member)
    else:
        yield annotation

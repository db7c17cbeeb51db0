from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from remit.documents import (
    Document,
    DocumentInvalidError,
    Duration,
    Problem,
    parse_yaml,
    problems_of,
    validate,
)


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str = Field(description="Where it is.")
    retries: int = Field(default=1, ge=0, le=5)
    kind: Literal["read", "write"] = "read"
    wait: Duration | None = None


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    enabled: bool = True
    inner: dict[str, Inner] = {}
    many: tuple[Inner, ...] | None = None
    class_: str = Field(default="", alias="class")


def read(text: str) -> Document:
    return parse_yaml(text.encode(), file="x.yaml")


def problems_in(text: str) -> tuple[Problem, ...]:
    with pytest.raises(DocumentInvalidError) as caught:
        validate(read(text), Outer)
    return caught.value.problems


def test_a_document_that_fits_becomes_the_model() -> None:
    outer = validate(read("name: a\nclass: b\ninner: {x: {url: y, wait: 10m}}\n"), Outer)
    assert (outer.class_, outer.inner["x"].wait) == ("b", 600)


def test_every_mistake_is_reported_at_once_each_at_its_line() -> None:
    problems = problems_in(
        "inner:\n  x:\n    uri: a\n    retries: 9\n    kind: reed\n    wait: 10\n"
    )
    assert [(problem.line, problem.message) for problem in problems] == [
        (1, "`name` is missing"),
        (2, "`url` is missing"),
        (3, "unknown key `uri`; did you mean `url`?"),
        (4, "`9` is out of bounds"),
        (5, "`reed` is not known here; did you mean `read`?"),
        (6, "`10` is not a length of time"),
    ]


def test_a_missing_key_says_what_it_is_for() -> None:
    [problem] = problems_in("name: a\ninner: {x: {}}\n")
    assert problem.expected == "where it is"


def test_an_unknown_key_lists_the_known_ones_by_the_names_of_the_file() -> None:
    [problem] = problems_in("name: a\nclas: x\n")
    assert problem.message == "unknown key `clas`; did you mean `class`?"
    assert problem.expected == "`class`, `enabled`, `inner`, `many` or `name`"
    assert (problem.line, problem.column, problem.width) == (2, 1, 4)


class Many(RootModel[dict[str, Inner]]):
    """A file that is a mapping of names alone."""


def test_an_unknown_key_below_a_name_has_a_suggestion_too() -> None:
    with pytest.raises(DocumentInvalidError) as caught:
        validate(read("x: {url: a, retrys: 1}\ny: {}\n"), Many)
    assert [(one.message, one.expected) for one in caught.value.problems] == [
        ("unknown key `retrys`; did you mean `retries`?", "`kind`, `retries`, `url` or `wait`"),
        ("`url` is missing", "where it is"),
    ]


def test_an_unknown_key_inside_an_optional_list_has_a_suggestion_too() -> None:
    [problem] = problems_in("name: a\nmany:\n  - url: x\n    retris: 1\n")
    assert problem.message == "unknown key `retris`; did you mean `retries`?"


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("name: 1.10\n", "`1.1` where text belongs", "text; put it in quotes"),
        ("name: [a]\n", "a list where text belongs", "text"),
        ("name:\n", "nothing where text belongs", "text"),
        (
            "name: a\nenabled: maybe\n",
            "`maybe` where `true` or `false` belongs",
            "`true` or `false`",
        ),
        ("name: a\ninner: []\n", "a list where a mapping belongs", "a mapping"),
        ("name: a\ninner: {x: 5}\n", "`5` where a mapping belongs", "a mapping"),
        ("name: a\nmany: {}\n", "a mapping where a list belongs", "a list"),
        (
            "name: a\ninner: {x: {url: a, retries: b}}\n",
            "`b` where a whole number belongs",
            "a whole number",
        ),
        ("name: a\ninner: {x: {url: a, retries: 9}}\n", "`9` is out of bounds", "at most 5"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(text: str, message: str, expected: str) -> None:
    [problem] = problems_in(text)
    assert (problem.message, problem.expected) == (message, expected)


def test_a_document_that_is_a_list_is_refused() -> None:
    [problem] = problems_in("- a\n")
    assert problem.message == "a list where a mapping belongs"


def test_findings_of_another_validation_are_placed_as_well() -> None:
    document = read("name: a\nenabled: maybe\n")
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"name": "a", "enabled": "maybe"})
    [problem] = problems_of(document, caught.value, Outer)
    assert (problem.line, problem.column) == (2, 10)


def test_a_list_is_not_called_short_for_the_items_that_are_wrong() -> None:
    class Listing(BaseModel):
        words: tuple[Literal["a"], ...] = Field(min_length=1)

    with pytest.raises(DocumentInvalidError) as caught:
        validate(read("words: [b]\n"), Listing)
    [problem] = caught.value.problems
    assert problem.message == "`b` is not known here"


@pytest.mark.parametrize(
    "key", ["bearer_token", "client_secret", "Password", "apikey", "private_key"]
)
def test_the_line_of_an_unknown_key_that_sounds_secret_is_not_shown(key: str) -> None:
    [problem] = problems_in(f"name: a\n{key}: hunter2\n")
    assert (problem.line, problem.excerpt) == (2, "")
    assert "hunter2" not in repr(problem)

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel

from remit.documents import DocumentInvalidError, Problem, mistake, parse_yaml, quoted, validate


def refuse_everything(text: str) -> str:
    raise mistake(f"{quoted(text)} is {{wrong}}", expected="something else")


def refuse_quietly(text: str) -> str:
    raise mistake("a secret stands here", expected="`env:NAME`", hide=True)


class Model(BaseModel):
    open: Annotated[str, AfterValidator(refuse_everything)] | None = None
    closed: Annotated[str, AfterValidator(refuse_quietly)] | None = None


def problem_in(text: bytes) -> Problem:
    with pytest.raises(DocumentInvalidError) as caught:
        validate(parse_yaml(text, file="x"), Model)
    [problem] = caught.value.problems
    return problem


def test_the_words_of_a_mistake_become_the_problem() -> None:
    problem = problem_in(b"open: '{expected}'\n")
    assert (problem.message, problem.expected) == ("`{expected}` is {wrong}", "something else")
    assert problem.excerpt == "open: '{expected}'"


def test_a_hidden_mistake_does_not_show_the_line() -> None:
    problem = problem_in(b"closed: hunter2\n")
    assert problem.line == 1
    assert "hunter2" not in repr(problem)

from remit.documents import Problem
from remit.policy import PolicyInvalidError


def problem(line):
    return Problem(file="policies/a.cedar", line=line, column=1, message="wrong")


def test_the_error_carries_every_problem_in_order_and_shows_the_first():
    error = PolicyInvalidError([problem(3), problem(1)])
    assert [one.line for one in error.problems] == [1, 3]
    assert error.detail == "policies/a.cedar:1:1: wrong and 1 more"

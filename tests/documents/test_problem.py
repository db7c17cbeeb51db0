from remit.documents import DocumentInvalidError, Problem, quoted


def a_problem(line: int, message: str = "wrong") -> Problem:
    return Problem(file="x.yaml", line=line, column=1, message=message)


def test_problems_are_kept_in_the_order_of_the_file() -> None:
    error = DocumentInvalidError([a_problem(12), a_problem(3)])
    assert [problem.line for problem in error.problems] == [3, 12]


def test_the_detail_names_the_first_and_counts_the_rest() -> None:
    error = DocumentInvalidError([a_problem(3), a_problem(4), a_problem(5)])
    assert error.detail == "x.yaml:3:1: wrong and 2 more"
    assert error.code == "document_invalid"


def test_what_was_expected_follows_the_message() -> None:
    problem = Problem(file="x.yaml", line=1, column=2, message="wrong", expected="right")
    assert str(problem) == "x.yaml:1:2: wrong (expected right)"


def test_quoted_text_stays_on_one_line_and_is_short() -> None:
    assert quoted("a\nb\x1b[31m\u202e") == "`a b\ufffd[31m\ufffd`"
    assert len(quoted("x" * 500)) < 100

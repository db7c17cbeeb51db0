import pytest

from .conftest import Repository


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("unused-scop: error", "there is no remark `unused-scop`; did you mean `unused-scope`?"),
        ("schema: off", "`schema` is a mistake, which is never worth less"),
        ("unused-scope: fatal", "`fatal` is not known here"),
        ("unused-scope: false", "`False` is not known here"),
    ],
)
def test_what_a_remark_is_worth_has_to_be_said_rightly(
    repository: Repository, line: str, says: str
) -> None:
    repository.append("remit.yaml", f"lint: {{{line}}}\n")
    [problem] = repository.problems()
    assert problem.message.startswith(says)
    assert problem.line == 6


@pytest.mark.parametrize("worth", ["error", "warning", "note", "off"])
def test_a_remark_may_be_worth_anything(repository: Repository, worth: str) -> None:
    repository.append("remit.yaml", f"lint: {{unused-scope: {worth}}}\n")
    assert repository.problems() == []

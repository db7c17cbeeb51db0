import pytest

from remit.documents import ANY, Document, parse_yaml


@pytest.fixture
def document() -> Document:
    return parse_yaml(
        b"tools:\n  get:\n    scopes: [a, b]\n  put:\n    scopes: [c]\n", file="servers/x.yaml"
    )


def test_a_pattern_finds_every_path_that_fits_in_order(document: Document) -> None:
    found = [(path, node.value) for path, node in document.find(("tools", ANY, "scopes", ANY))]
    assert found == [
        (("tools", "get", "scopes", 0), "a"),
        (("tools", "get", "scopes", 1), "b"),
        (("tools", "put", "scopes", 0), "c"),
    ]


def test_a_pattern_that_nothing_fits_finds_nothing(document: Document) -> None:
    assert list(document.find(("tools", "get", "nothing", ANY))) == []
    assert list(document.find(("tools", "get", "scopes", 0, ANY))) == []


def test_a_problem_points_at_its_value(document: Document) -> None:
    problem = document.problem(("tools", "put", "scopes", 0), "wrong")
    assert (problem.file, problem.line, problem.column) == ("servers/x.yaml", 5, 14)
    assert problem.excerpt == "    scopes: [c]"


def test_a_problem_can_point_at_the_key(document: Document) -> None:
    problem = document.problem(("tools", "put"), "wrong", at_key=True)
    assert (problem.line, problem.column, problem.width) == (4, 3, 3)


def test_a_problem_with_what_is_missing_points_at_where_it_is_missed(document: Document) -> None:
    problem = document.problem(("tools", "put", "owner"), "missing")
    assert (problem.line, problem.column) == (4, 3)


def test_a_problem_with_a_mapping_points_at_its_key_not_at_its_first_line(
    document: Document,
) -> None:
    assert document.problem(("tools",), "wrong").line == 1


def test_an_excerpt_cannot_write_to_the_terminal() -> None:
    document = parse_yaml("a: \u200etxt\u0085\n".encode(), file="x")
    assert document.problem(("a",), "wrong").excerpt.isprintable()

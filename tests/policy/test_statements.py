import pytest
from cedarpy import PolicySet
from hypothesis import given
from hypothesis import strategies as st

from remit.policy.statements import (
    Token,
    find_quoted,
    find_syntax_error,
    problem_at,
    split_statements,
)


def test_a_file_is_cut_at_its_semicolons_and_nowhere_else():
    text = 'permit(a); // one; two\nforbid(b) when { x == "a;b\\";c" };\n'
    assert [statement.text for statement in split_statements(text)] == [
        "permit(a);",
        'forbid(b) when { x == "a;b\\";c" };',
    ]


def test_what_follows_the_last_semicolon_counts_unless_it_is_nothing():
    assert len(split_statements("permit(a); permit(b)")) == 2
    assert len(split_statements("permit(a);  // end\n")) == 1
    assert split_statements(" \n// nothing") == []


@given(st.text(alphabet='ab(){};"\\/\n @:=&|é', max_size=60))
def test_nothing_that_is_written_is_lost(text):
    statements = split_statements(text)
    for statement in statements:
        assert text[statement.offset :].startswith(statement.text)
        assert all(text.startswith(token.text, token.offset) for token in statement.tokens)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("permit(principal, action resource);", "resource"),
        ("permit(principal, action, resource) when { 1 + };", "}"),
        ("permit(principal, action, resource) wen { true };", "wen"),
        ("allow(principal, action, resource);", "allow"),
    ],
)
def test_a_syntax_error_is_at_the_first_word_that_cannot_stand_there(text, word):
    (statement,) = split_statements(text)
    with pytest.raises(ValueError) as caught:
        PolicySet.from_str(text)
    token, _ = find_syntax_error(statement, PolicySet.from_str, str(caught.value))
    assert token.text == word


def test_a_quoted_word_is_found_and_else_the_effect():
    (statement,) = split_statements(
        '@id("x") forbid(principal, action, resource) when { a.b == "c" };'
    )
    assert find_quoted(statement, "attribute `b` not found").text == "b"
    assert find_quoted(statement, 'entity `A::"c"` not found').text == '"c"'
    assert find_quoted(statement, "nothing quoted").text == "forbid"


def test_a_place_is_counted_from_one():
    problem = problem_at("f", "a\nbb cc\n", token=Token("cc", 5), message="m")
    assert (problem.line, problem.column, problem.excerpt, problem.width) == (2, 4, "bb cc", 2)

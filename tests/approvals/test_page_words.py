"""Foreign words on a page: nothing unseen, nothing turned round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approvals.page_words import Piece, pieces, plain


def seen(text: str, **how: bool) -> str:
    return "".join(one.text for one in pieces(text, **how) if not one.sign)


def signs(text: str, **how: bool) -> list[str]:
    return [one.text for one in pieces(text, **how) if one.sign]


@pytest.mark.parametrize(
    "text", ["inv_2041", "Zoë, naïve", "東京 支店", "שלום", "مرحبا", "👍", "a  b"]
)
def test_what_people_write_stays_as_it_is(text):
    assert pieces(text) == (Piece(text),)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pay\u202e00.1", "U+202E"),
        ("a\u2066b", "U+2066"),
        ("a\u200bb", "U+200B"),
        ("a\u200db", "U+200D"),
        ("a\xadb", "U+00AD"),
        ("a\xa0b", "U+00A0"),
        ("a\u3000b", "U+3000"),
        ("a\u3164b", "U+3164"),
        ("a\u2800b", "U+2800"),
        ("a\ufe0fb", "U+FE0F"),
        ("a\U000e0100b", "U+E0100"),
        ("a\U000e0041b", "U+E0041"),
        ("a\x00b", "U+0000"),
        ("a\x1b[31mb", "U+001B"),
        ("a\rb", "U+000D"),
        ("a\u2028b", "U+2028"),
        ("a\ue000b", "U+E000"),
        ("a\tb", "tab"),
        ("a\nb", "line break"),
    ],
    ids=ascii,
)
def test_what_nobody_could_see_is_named(text, name):
    assert signs(text) == [name]
    assert seen(text).isprintable()


def test_line_breaks_stay_between_lines_where_lines_may_be():
    assert seen("one\ntwo", lines=True) == "one\ntwo"
    assert signs("one\n", lines=True) == ["line break"]
    assert signs("\none", lines=True) == ["line break"]


def test_blanks_at_an_end_are_named_for_they_make_another_value():
    assert signs(" a b ") == ["space", "space"]
    assert signs("   ") == ["space × 3"]  # noqa: RUF001


def test_a_letter_does_not_get_lost_in_marks():
    text = "Z" + "\u0300" * 12
    assert seen(text) == "Z\u0300\u0300"
    assert signs(text) == ["U+0300 × 10"]  # noqa: RUF001


def test_a_title_has_signs_in_brackets():
    assert plain("a\u202eb") == "a[U+202E]b"
    assert plain("") == ""


@given(st.text(max_size=40))
def test_nothing_that_moves_or_hides_others_is_ever_left(text):
    left = seen(text, lines=True)
    assert not set(left) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200f\ufeff"
    )
    assert all(one.isprintable() or one == "\n" for one in left)
    assert (text == "") == (pieces(text) == ())

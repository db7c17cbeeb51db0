"""What may stand where a caller says why."""

import pytest

from remit.guard.justification import LONGEST, InvalidJustificationError, justification_of


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, None),
        ("INC-7", "INC-7"),
        ("  a customer asked  ", "a customer asked"),
        ("7", "7"),
        ("理由", "理由"),
        ("größer als nötig", "größer als nötig"),
        ("x" * LONGEST, "x" * LONGEST),
        ({"ticket": " INC-7 ", "reason": "asked"}, '{"reason":"asked","ticket":"INC-7"}'),
        ('{"ticket": "INC-7"}', '{"ticket":"INC-7"}'),
        ("{see INC-7}", "{see INC-7}"),
    ],
)
def test_a_line_of_text_is_a_justification_and_so_is_an_object_of_lines(given, text):
    assert justification_of(given) == text


@pytest.mark.parametrize(
    "given",
    [
        "",
        "   ",
        "...",
        "\u3164\u2800",
        "x" * (LONGEST + 1),
        "two\nlines",
        "a\x00b",
        "\u202eesrever",
        7,
        True,
        [],
        {"why": 7},
        {},
    ],
    ids=[
        "empty",
        "blank",
        "dots",
        "unseen",
        "long",
        "lines",
        "nul",
        "turned",
        "number",
        "truth",
        "list",
        "object",
        "nothing",
    ],
)
def test_anything_else_is_refused_and_not_repeated(given):
    with pytest.raises(InvalidJustificationError) as caught:
        justification_of(given)
    assert "esrever" not in caught.value.detail
    assert "\n" not in caught.value.detail

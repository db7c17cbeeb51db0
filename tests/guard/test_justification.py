"""What may stand where a caller says why."""

import pytest

from remit.guard.justification import (
    LONGEST,
    InvalidJustificationError,
    justification_of,
    told_by_name,
    told_to_policies,
)
from remit.model import JustificationField


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


TICKET = {"ticket": JustificationField(name="ticket", pattern="[A-Z]+-[0-9]+")}


@pytest.mark.parametrize(
    ("said", "consented", "fields", "told"),
    [
        (None, None, TICKET, None),
        ("asked for", None, {}, "asked for"),
        (None, "asked for", {}, "asked for"),
        ("asked for", None, TICKET, '{"reason":"asked for"}'),
        ('{"ticket":"CHG-1"}', None, TICKET, '{"ticket":"CHG-1"}'),
        ('{"reason":"x","ticket":"CHG"}', None, TICKET, '{"reason":"x"}'),
        ('{"ticket":"CHG"}', None, TICKET, None),
        ("CHG-1", None, TICKET, '{"reason":"CHG-1"}'),
        ("now", '{"reason":"then","ticket":"CHG-1"}', TICKET, '{"reason":"now","ticket":"CHG-1"}'),
        ("now", "then", {}, '{"reason":"now"}'),
    ],
)
def test_policies_are_told_what_is_as_it_is_declared(said, consented, fields, told):
    assert told_to_policies(said, consented, fields) == told


@pytest.mark.parametrize(
    ("text", "fields", "told"),
    [
        (None, TICKET, None),
        ('{"ticket":"CHG-1"}', {}, None),
        ('{"ticket":"CHG-1"}', TICKET, {"ticket": "CHG-1"}),
        ('{"reason":"x","ticket":"CHG-1"}', TICKET, {"ticket": "CHG-1"}),
        ('{"reason":"x"}', TICKET, None),
        ('{"ticket":"CHG"}', TICKET, None),
        ("CHG-1", TICKET, None),
        ("asked for", {"reason": JustificationField(name="reason")}, {"reason": "asked for"}),
        ("asked for", {"reason": JustificationField(name="reason", longest=3)}, None),
    ],
)
def test_by_its_name_is_told_what_is_declared_and_as_it_is_declared(text, fields, told):
    assert told_by_name(text, fields) == told

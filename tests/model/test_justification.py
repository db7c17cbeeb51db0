"""What may stand where somebody says why, and what was told."""

import pytest

from remit.model.approvals import JustificationField
from remit.model.justification import (
    LONGEST,
    MOST_FIELDS,
    as_json,
    fitting,
    justification_text,
    says_something,
    told_in,
)

TICKET = JustificationField(name="ticket", pattern="[A-Z]+-[0-9]+", longest=12)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (" asked for ", "asked for"),
        ({"ticket": "CHG-1"}, '{"ticket":"CHG-1"}'),
        ({"b": " 2 ", "a": "1"}, '{"a":"1","b":"2"}'),
        ('{"b": "2", "a": "1"}', '{"a":"1","b":"2"}'),
        ("{no object", "{no object"),
    ],
)
def test_one_text_is_kept_of_a_line_and_of_an_object(given, text):
    assert justification_text(given) == text
    assert justification_text(text) == text


@pytest.mark.parametrize(
    "given",
    [
        "",
        " - ",
        "a\nb",
        "x" * (LONGEST + 1),
        7,
        None,
        [],
        ["reason"],
        {},
        {"reason": ""},
        {"reason": None},
        {"reason": 7},
        {"reason": {"why": "x"}},
        {"Reason": "x"},
        {"a-b": "x"},
        {"": "x"},
        {"reason": "a\u202eb"},
        {"reason": "x" * (LONGEST + 1)},
        {f"f{number}": "x" for number in range(MOST_FIELDS + 1)},
        {f"f{number}": "x" * LONGEST for number in range(5)},
        '{"reason": 7}',
        '{"a": "1", "a": "2"}',
        '{"a": "1", "b',
        "{}",
    ],
    ids=str,
)
def test_anything_else_is_none(given):
    assert justification_text(given) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, {}),
        ("asked for", {"reason": "asked for"}),
        ('{"reason":"asked for","ticket":"CHG-1"}', {"reason": "asked for", "ticket": "CHG-1"}),
        ('{"ticket":"CHG-1"}', {"ticket": "CHG-1"}),
        ("{no object", {"reason": "{no object"}),
        ('{"ticket":7}', {}),
    ],
)
def test_what_was_told_is_told_by_its_name(text, told):
    assert told_in(text) == told


def test_an_object_is_read_as_one_again():
    assert as_json("asked for") == "asked for"
    assert as_json('{"ticket":"CHG-1"}') == {"ticket": "CHG-1"}


@pytest.mark.parametrize("ticket", ["CHG-1", "A-0"])
def test_what_is_as_it_is_declared_counts(ticket):
    told = {"ticket": ticket, "more": "x"}

    assert fitting(told, {"ticket": TICKET}) == told


@pytest.mark.parametrize(
    "ticket", ["CHG", "xCHG-1", "CHG-1x", "CHG-1 ", "CHG-\u0661", "\uff23HG-1", "ABCDEFGH-1234"]
)
def test_what_is_not_counts_as_not_told(ticket):
    assert fitting({"ticket": ticket, "more": "x"}, {"ticket": TICKET}) == {"more": "x"}


@pytest.mark.parametrize("text", ["", " ", "...", "\u3164", "\u2800", "—"])
def test_what_cannot_be_seen_says_nothing(text):
    assert not says_something(text)

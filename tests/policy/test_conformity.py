"""Arguments are of the types of the schema, or Cedar is left to say what is wrong with them."""

from decimal import Decimal

import pytest

from remit.model import Argument, ArgumentType
from remit.policy import Money
from remit.policy.conformity import Conformity


def admits(kind, value):
    return Conformity([Argument(name="a", type=kind, pointer="/a", required=True)]).admits(
        {"a": value}
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ArgumentType.STRING, ""),
        (ArgumentType.INTEGER, -(2**63)),
        (ArgumentType.BOOLEAN, False),
        (ArgumentType.DECIMAL, Decimal("-1.5000")),
        (ArgumentType.DECIMAL, Decimal("1E+3")),
        (ArgumentType.DECIMAL, Decimal("922337203685477.5807")),
        (ArgumentType.MONEY, Money(Decimal(1), "EUR")),
        (ArgumentType.STRINGS, ()),
        (ArgumentType.STRINGS, ("a", "b")),
    ],
)
def test_what_is_of_its_type_is_admitted(kind, value):
    assert admits(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ArgumentType.STRING, 1),
        (ArgumentType.INTEGER, True),
        (ArgumentType.INTEGER, "1"),
        (ArgumentType.INTEGER, 2**63),
        (ArgumentType.BOOLEAN, 1),
        (ArgumentType.DECIMAL, 1),
        (ArgumentType.DECIMAL, Decimal("0.00001")),
        (ArgumentType.DECIMAL, Decimal("922337203685477.5808")),
        (ArgumentType.DECIMAL, Decimal("NaN")),
        (ArgumentType.DECIMAL, Decimal("-Infinity")),
        (ArgumentType.MONEY, Decimal(1)),
        (ArgumentType.MONEY, Money(Decimal("1.00001"), "EUR")),
        (ArgumentType.STRINGS, ["a"]),
        (ArgumentType.STRINGS, ("a", 1)),
    ],
)
def test_what_is_of_another_type_is_not(kind, value):
    assert not admits(kind, value)


def test_what_is_required_is_given_and_what_is_given_is_declared():
    conformity = Conformity(
        [
            Argument(name="a", type=ArgumentType.STRING, pointer="/a", required=True),
            Argument(name="b", type=ArgumentType.STRING, pointer="/b"),
        ]
    )
    assert conformity.admits({"a": ""})
    assert conformity.admits({"a": "", "b": ""})
    assert not conformity.admits({"b": ""})
    assert not conformity.admits({"a": "", "c": ""})
    assert Conformity([]).admits({})

"""Arguments are of the types of the schema, or Cedar is left to say what is wrong with them."""

from decimal import Decimal

import pytest

from remit.model import Argument, ArgumentType, HistoryFact, HistoryMeasure
from remit.policy import Money
from remit.policy.conformity import Conformity, HistoryConformity


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


def test_a_past_is_of_the_declared_types_and_nothing_else():
    declared = {
        name: HistoryFact(name=name, measure=measure)
        for name, measure in (
            ("calls", HistoryMeasure.COUNT), ("spent", HistoryMeasure.SUM),
            ("ever", HistoryMeasure.EVER), ("used", HistoryMeasure.TOOLS),
        )
    }  # fmt: skip
    past = HistoryConformity(declared)
    good = {"calls": 1, "spent": Decimal("1.5"), "ever": True, "used": frozenset({"a"})}
    assert past.admits(good)
    assert past.admits({"calls": 1})
    for wrong in ({"calls": True}, {"spent": 1}, {"spent": Decimal("0.00001")}, {"ever": 1}):
        assert not past.admits({**good, **wrong})
    assert not past.admits({**good, "used": ("a",)})
    assert not past.admits({**good, "more": 1})
    assert past.admits(past.nothing(but=frozenset()))
    assert past.nothing(but=frozenset({"spent", "used"})).keys() == {"calls", "ever"}

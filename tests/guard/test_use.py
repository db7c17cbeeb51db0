"""In which facts a call counts, and in whose past."""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from types import MappingProxyType

import pytest

from remit.guard.facts import InvalidArgumentError
from remit.guard.target import find_target
from remit.guard.use import Whose, amount_in, entries_of, is_counted, whose_pasts
from remit.ids import ClientId
from remit.model import (
    MANAGEMENT,
    ArgumentType,
    HistoryFact,
    HistoryMeasure,
    HistoryOf,
    Operation,
)
from remit.policy import ResourceKind
from remit.policy.evaluation import Money
from remit.testing.catalog import small_catalog
from remit.tokens import Delegate

COUNT = HistoryFact(name="calls", measure=HistoryMeasure.COUNT)
SUM = HistoryFact(name="spent", measure=HistoryMeasure.SUM, argument="amount", currency="USD")


def target(name="export_accounts", server="crm", kind=ResourceKind.TOOL):
    return find_target(small_catalog().servers[server], kind, name)


@pytest.mark.parametrize(
    ("filters", "counted"),
    [
        ({}, True),
        ({"servers": ("crm",)}, True),
        ({"servers": ("payments",)}, False),
        ({"things": ("crm/export_accounts",)}, True),
        ({"things": ("crm/get_account",)}, False),
        ({"operations": (Operation.EXPORT, Operation.DELETE)}, True),
        ({"operations": (Operation.DELETE,)}, False),
        ({"data_categories": ("contact",)}, False),
        ({"servers": ("crm",), "operations": (Operation.WRITE,)}, False),
    ],
    ids=["all", "server", "other server", "thing", "other thing", "operation", "other operation",
         "category", "both"],
)  # fmt: skip
def test_a_call_counts_when_every_filter_fits(filters, counted):
    assert is_counted(replace(COUNT, **filters), target()) is counted


def test_a_resource_counts_under_the_name_that_the_catalog_has_for_it():
    fact = replace(COUNT, things=("crm/resource/crm://accounts/{id}",))
    assert is_counted(fact, target("crm://accounts/7", kind=ResourceKind.RESOURCE))
    assert not is_counted(fact, target("crm://schema", kind=ResourceKind.RESOURCE))


def test_what_administrators_do_counts_nowhere():
    operation = find_target(MANAGEMENT, ResourceKind.TOOL, "agents.list")
    assert not is_counted(COUNT, operation)


def test_a_sum_counts_what_has_the_argument_and_nothing_else():
    assert is_counted(SUM, target("refund", "payments"))
    assert not is_counted(SUM, target())


@pytest.mark.parametrize(
    ("of", "pasts"),
    [
        (
            HistoryOf.AGENT_AND_SUBJECT,
            (Whose("acme", "assistant", "usr_1"), Whose("acme", "job", "usr_1")),
        ),
        (HistoryOf.AGENT, (Whose("acme", "assistant"), Whose("acme", "job"))),
        (HistoryOf.SUBJECT, (Whose("acme", subject="usr_1"),)),
        (HistoryOf.GRANT, (Whose("acme", grant="gnt_1"),)),
    ],
    ids=[one.value for one in HistoryOf],
)
def test_a_past_is_of_every_agent_behind_a_call_and_of_one_organisation(world, of, pasts):
    through = tuple(Delegate(one, ClientId("cli_1")) for one in ("job", "assistant"))
    token = world.token(agent_id="job", actors=through)
    assert whose_pasts(replace(COUNT, of=of), token) == pasts


def entries(world, *facts, of=None, reads=(), arguments=None, again=False):
    return entries_of(
        world.token(),
        of or target(),
        history=MappingProxyType({fact.name: fact for fact in facts}),
        reads=reads,
        amount_of=partial(amount_in, arguments or {}),
        again=again,
    )


def test_what_neither_counts_nor_is_read_is_left_out(world):
    nowhere = replace(COUNT, name="other", servers=("payments",))
    assert entries(world, nowhere) == ()
    (read,) = entries(world, nowhere, reads=["other"])
    assert (read.counted, read.told) == (False, True)


def test_what_is_used_again_is_told_and_not_counted(world):
    (again,) = entries(world, COUNT, reads=["calls"], again=True)
    assert (again.counted, again.told) == (False, True)
    assert entries(world, COUNT, again=True) == ()


def test_sets_have_a_member_for_the_thing_or_for_each_category(world):
    tools = HistoryFact(name="used", measure=HistoryMeasure.TOOLS)
    opened = HistoryFact(name="opened", measure=HistoryMeasure.DATA_CATEGORIES)
    found = entries(world, tools, opened, of=target("update_account"))
    assert [one.members for one in found] == [("crm/update_account",), ("contact",)]


def test_an_amount_is_taken_as_it_is(world):
    arguments = {"amount": Money(Decimal("12.3456"), "USD")}
    (found,) = entries(world, SUM, of=target("refund", "payments"), arguments=arguments)
    assert found.amount == Decimal("12.3456")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "is missing"),
        (Money(Decimal(1), "EUR"), "is not `USD`"),
        (Money(Decimal(-1), "USD"), "less than nought"),
        (Decimal(1), "cannot be summed"),
        ("12", "cannot be summed"),
        (True, "cannot be summed"),
    ],
    ids=["missing", "currency", "minus", "decimal", ArgumentType.STRING.value, "boolean"],
)
def test_what_cannot_be_added_up_is_refused(value, said):
    given = {} if value is None else {"amount": value}
    with pytest.raises(InvalidArgumentError, match=said):
        amount_in(given, SUM)

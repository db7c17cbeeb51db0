"""What goes out next, and no more at once than is taken at once."""

import pytest

from remit.model import SinkRules
from remit.sinks.forms.form import FORMS
from remit.sinks.loading import load, load_stub, observed_ms
from remit.sinks.port import BatchRules
from tests.sinks.made import shipments

RULES = SinkRules(name="siem", kind="webhook")


def loaded(world, start, *, rules=RULES, **batch):
    return load(
        world.source,
        "remit/main",
        start,
        rules=rules,
        form=FORMS["json"],
        batch=BatchRules(**batch),
    )


async def test_as_many_as_a_batch_takes_and_the_place_behind_them(world, write):
    write(99)
    found = loaded(world, 10, records=30)
    assert [one.sequence for one in found.shipments] == list(range(10, 40))
    assert (found.first, found.after, found.is_full) == (10, 40, True)
    rest = loaded(world, 90, records=30)
    assert (len(rest.shipments), rest.after, rest.is_full) == (10, 100, False)
    assert loaded(world, 100).shipments == ()
    assert loaded(world, 100).first is None


async def test_no_more_bytes_than_a_batch_takes_but_one_in_any_case(world, write):
    write(20)
    size = len(loaded(world, 1, records=1).shipments[0].content)
    found = loaded(world, 1, content=size * 3 + 10)
    assert len(found.shipments) == 3
    assert (found.after, found.is_full) == (4, True)
    assert len(loaded(world, 1, content=1).shipments) == 1


async def test_what_is_not_for_the_sink_is_passed_over(world, write):
    write(20)
    found = loaded(world, 0, rules=SinkRules(name="siem", kind="webhook", kinds=("grant.*",)))
    assert (found.shipments, found.after) == ((), 21)


async def test_when_the_oldest_came_is_known_and_nothing_where_there_is_none(world, write):
    write(3)
    now = world.clock.now_ms()
    assert now - 60_000 < observed_ms(world.source, "remit/main", 2) <= now + 1_000
    assert observed_ms(world.source, "remit/main", 99) is None
    assert observed_ms(world.source, "remit/nowhere", 0) is None


async def test_a_stub_is_of_the_very_record(world, write):
    write(3)
    [one] = loaded(world, 2, records=1).shipments
    stub = load_stub(world.source, one, FORMS["json"])
    assert (stub.id, stub.leaf, stub.sequence) == (one.id, one.leaf, 2)
    assert len(stub.content) < len(one.content)
    gone = shipments(1, first=900)[0]
    with pytest.raises(OSError, match="not there"):
        load_stub(world.source, gone, FORMS["json"])

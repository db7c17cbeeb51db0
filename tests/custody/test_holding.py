import pytest

from remit.audit.context import Context
from remit.audit.events import HoldLifted, HoldLiftRequested, HoldRequested, HoldSet
from remit.custody import HoldState, OnePersonError, Word
from remit.errors import ConflictError, NotFoundError

CONTEXT = Context(tenant="acme")


async def asked(world, subject="usr_1"):
    return await world.custody.request_hold(
        tenant="acme", subject=subject, word=world.word("ada"), context=CONTEXT
    )


async def change(world, step, hold, who, tenant="acme"):
    return await getattr(world.custody, step)(hold.id, tenant=tenant, word=who, context=CONTEXT)


async def test_two_people_set_a_hold_and_two_people_lift_it(world, events):
    hold = await asked(world)
    assert hold.state is HoldState.REQUESTED
    hold = await change(world, "set_hold", hold, world.word("bob"))
    assert (hold.state, hold.set_by) == (HoldState.SET, "bob")
    hold = await change(world, "request_lift", hold, world.word("bob", "it is over"))
    assert hold.state is HoldState.LIFT_REQUESTED
    hold = await change(world, "lift_hold", hold, world.word("ada"))
    assert (hold.state, hold.lifted_by) == (HoldState.LIFTED, "ada")
    assert [type(event) for event in events.recorded] == [
        HoldRequested, HoldSet, HoldLiftRequested, HoldLifted
    ]  # fmt: skip
    assert await world.custody.holds(tenant="acme", lifted=False) == []
    assert await world.custody.holds(tenant="acme", lifted=True) == [hold]
    assert await world.custody.holds(tenant="globex", lifted=True) == []
    assert "usr_1" not in str(events.recorded)


@pytest.mark.parametrize("known_as", [("user:ada",), ("user:other", "user:ada"), ()])
async def test_one_person_alone_sets_and_lifts_nothing_under_whatever_account(world, known_as):
    hold = await asked(world)
    word = Word("someone", known_as, world.clock.now())
    with pytest.raises(OnePersonError):
        await change(world, "set_hold", hold, word)
    await change(world, "set_hold", hold, world.word("bob"))
    await change(world, "request_lift", hold, world.word("ada"))
    with pytest.raises(OnePersonError):
        await change(world, "lift_hold", hold, word)
    [still] = await world.custody.holds(tenant="acme", lifted=False)
    assert still.state is HoldState.LIFT_REQUESTED


async def test_a_hold_that_was_only_asked_for_ends_by_two_people_too(world):
    hold = await asked(world)
    await change(world, "request_lift", hold, world.word("ada", "a mistake"))
    with pytest.raises(OnePersonError):
        await change(world, "lift_hold", hold, world.word("ada"))
    assert (await change(world, "lift_hold", hold, world.word("bob"))).state is HoldState.LIFTED


@pytest.mark.parametrize(
    ("done", "step"),
    [
        ([], "lift_hold"),
        (["set_hold"], "set_hold"),
        (["set_hold"], "lift_hold"),
        (["set_hold", "request_lift"], "request_lift"),
        (["set_hold", "request_lift", "lift_hold"], "lift_hold"),
        (["set_hold", "request_lift", "lift_hold"], "set_hold"),
        (["set_hold", "request_lift", "lift_hold"], "request_lift"),
    ],
)
async def test_a_step_out_of_turn_is_refused_and_changes_nothing(world, events, done, step):
    hold = await asked(world)
    people = {"set_hold": "bob", "request_lift": "bob", "lift_hold": "ada"}
    for one in done:
        await change(world, one, hold, world.word(people[one]))
    before = len(events.recorded)
    with pytest.raises(ConflictError):
        await change(world, step, hold, world.word("eve"))
    assert len(events.recorded) == before


async def test_the_hold_of_another_tenant_is_not_there(world):
    hold = await asked(world)
    for step in ("set_hold", "request_lift", "lift_hold"):
        with pytest.raises(NotFoundError):
            await change(world, step, hold, world.word("bob"), tenant="globex")
    assert (await change(world, "set_hold", hold, world.word("bob"), tenant=None)).set_by == "bob"

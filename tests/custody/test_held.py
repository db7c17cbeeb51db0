import pytest

from remit.audit.context import Context
from remit.custody.held import standing_holds

CONTEXT = Context(tenant="acme")


def entry(**more):
    known = {"tenant": "acme", "user": None, "agent": None, "client": None, "act": [], "body": {}}
    return {**known, "actor": {"type": "system", "id": None}, **more}


async def standing(world, *about):
    for tenant, subject in about:
        await world.custody.request_hold(
            tenant=tenant, subject=subject, word=world.word("ada"), context=CONTEXT
        )
    return world.database.read_now(
        lambda tx: standing_holds(tx, digest=world.digest, now=world.clock.now())
    )


@pytest.mark.parametrize(
    "about",
    [
        {"user": "usr_1"},
        {"agent": "usr_1"},
        {"actor": {"type": "user", "id": "usr_1"}},
        {"act": [{"agent": "usr_1", "client": "c"}]},
        {"body": {"of": {"whom": ["usr_2", "usr_1"]}}},
        {"tenant": None, "body": {"user": "usr_1"}},
    ],
)
async def test_a_record_that_names_somebody_is_covered_by_a_hold_about_them(world, about):
    holds = await standing(world, ("acme", "usr_1"))
    assert holds.cover(entry(**about))
    assert not holds.cover(entry(**{**about, "tenant": "globex"}))
    assert not (await standing(world)).cover(entry(user="usr_9"))


@pytest.mark.parametrize(
    "about", [{}, {"user": "usr_2"}, {"body": {"text": "usr_1 " * 20, "n": 1, "x": None, "": ""}}]
)
async def test_a_record_that_does_not_name_them_is_not(world, about):
    assert not (await standing(world, ("acme", "usr_1"))).cover(entry(**about))


async def test_a_hold_about_everybody_covers_the_organisation_and_what_names_it(world):
    holds = await standing(world, ("acme", None))
    assert holds.cover(entry())
    assert not holds.cover(entry(tenant="globex"))
    assert not holds.cover(entry(tenant=None))
    assert holds.cover(entry(tenant=None, body={"tenants": ["globex", "acme"]}))


async def test_one_that_came_since_is_noticed_and_one_that_ended_is_not_missed(world):
    holds = await standing(world, ("acme", "usr_1"))
    now = world.clock.now()
    assert world.database.read_now(lambda tx: holds.are_all(tx, now))
    assert world.database.read_now(lambda tx: holds.are_all(tx, now + 10**6))
    await standing(world, ("globex", None))
    assert not world.database.read_now(lambda tx: holds.are_all(tx, now))

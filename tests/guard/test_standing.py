from remit.guard import Standing
from remit.guard.standing import agent_of, is_backed, is_fresh
from remit.tokens import Delegate


def test_a_standing_is_fresh_up_to_its_maximal_age(world):
    now = world.clock.now()
    assert is_fresh(Standing(as_of=now - 10), now, 10)
    assert not is_fresh(Standing(as_of=now - 11), now, 10)


def test_a_standing_from_the_future_says_nothing():
    now = 1_767_625_200
    assert is_fresh(Standing(as_of=now + 2), now, 10)
    assert not is_fresh(Standing(as_of=now + 3), now, 10)


def test_a_token_is_backed_while_nothing_it_rests_on_is_gone(world):
    catalog, now = world.directory.catalog, world.clock.now()
    assert is_backed(world.token(), Standing(as_of=now), catalog)
    others = Standing(
        as_of=now,
        suspended_agents=frozenset({"job"}),
        disabled_users=frozenset({"usr_2"}),
        revoked_grants=frozenset({"gnt_2"}),
        revoked_tokens={"jti_2": now},
    )
    assert is_backed(world.token(), others, catalog)
    suspended = Standing(as_of=now, suspended_agents=frozenset({"assistant"}))
    assert not is_backed(world.token(), suspended, catalog)


def test_a_chain_of_actors_is_as_good_as_its_weakest_link(world):
    catalog, now = world.directory.catalog, world.clock.now()
    token = world.token(actors=(Delegate("job", "cli_2"), Delegate("assistant", "cli_3")))
    assert is_backed(token, Standing(as_of=now), catalog)
    for standing in (
        Standing(as_of=now, suspended_agents=frozenset({"job"})),
        Standing(as_of=now, disabled_clients=frozenset({"cli_3"})),
    ):
        assert not is_backed(token, standing, catalog)
        assert is_backed(world.token(), standing, catalog)


def test_a_chain_ends_with_an_agent_that_is_declared_no_more(world):
    catalog, standing = world.directory.catalog, Standing(as_of=world.clock.now())
    first = (Delegate("assistant", "cli_2"), Delegate("job", "cli_3"))
    assert is_backed(world.token(actors=first), standing, catalog)
    nobodys = (Delegate("assistant", "cli_2"), Delegate(catalog.unregistered.id, "cli_3"))
    assert is_backed(world.token(actors=nobodys), standing, catalog)
    gone = (Delegate("assistant", "cli_2"), Delegate("gone", "cli_3"))
    assert not is_backed(world.token(actors=gone), standing, catalog)
    assert not is_backed(world.token(actors=tuple(reversed(gone))), standing, catalog)


def test_an_agent_is_looked_up_as_it_is_declared_now(world):
    catalog = world.directory.catalog
    assert agent_of(world.token(), catalog) is catalog.agents["assistant"]
    assert agent_of(world.token(agent_id="unregistered"), catalog) is catalog.unregistered
    assert agent_of(world.token(agent_id="gone"), catalog) is None

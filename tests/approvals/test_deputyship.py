"""Naming who answers in one's place: of one's own, for a while, and nothing more."""

import pytest

from remit.approvals.deputyship import LONGEST_ABSENCE, require_second_factor
from remit.approvals.errors import (
    NotADeputyError,
    NotYoursError,
    StrongerAuthenticationNeededError,
)
from remit.audit.approval_events import DeputyNamed, DeputyRemoved
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD


async def _name(office, absent="bob", deputy="fay", role="manager", seconds=3_600):
    return await office.desk.name_deputy(
        await office.person(absent),
        deputy,
        role=role,
        expires_at=office.clock.now() + seconds,
        reason="on leave",
        context=office.context,
    )


async def test_who_is_absent_names_somebody(office, events):
    named = await _name(office)
    assert (named.absent, named.deputy, named.role) == ("usr_bob", "usr_fay", "manager")
    (event,) = events.of(DeputyNamed)
    assert (event.deputy, event.reason, event.context.tenant) == ("usr_fay", "on leave", "acme")
    for name in ("bob", "fay"):
        assert await office.desk.deputies(await office.person(name)) == (named,)
    assert await office.desk.deputies(await office.person("cyn")) == ()


async def test_naming_them_again_moves_the_end(office):
    await _name(office)
    later = await _name(office, seconds=7_200)
    assert await office.desk.deputies(await office.person("bob")) == (later,)


async def test_it_ends_by_itself(office):
    await _name(office, seconds=60)
    office.later(60)
    assert await office.desk.deputies(await office.person("bob")) == ()


async def test_it_is_taken_back(office, events):
    await _name(office)
    bob = await office.person("bob")
    await office.desk.remove_deputy(bob, "fay", role="manager", context=office.context)
    assert await office.desk.deputies(bob) == ()
    assert len(events.of(DeputyRemoved)) == 1
    with pytest.raises(NotADeputyError):
        await office.desk.remove_deputy(bob, "fay", role="manager", context=office.context)


@pytest.mark.parametrize(
    "how",
    [
        {"deputy": "bob"},
        {"deputy": "bob2"},
        {"deputy": "eve"},
        {"deputy": "nobody"},
        {"deputy": "gone"},
        {"role": "director"},
        {"absent": "fay", "deputy": "cyn"},
        {"seconds": 0},
        {"seconds": LONGEST_ABSENCE + 1},
    ],
    ids=[
        "oneself", "own-other-account", "another-organisation", "unknown", "disabled", "role-not-held", "no-role",
        "already-over", "too-long",
    ],
)  # fmt: skip
async def test_who_cannot_stand_for_another_is_not_named(office, events, how):
    await office.add("bob2", roles=("manager",), email="bob")
    await office.add("gone")
    await office.disable("gone")
    with pytest.raises(NotADeputyError):
        await _name(office, **how)
    assert not events.of(DeputyNamed)


async def test_whose_account_is_disabled_names_nobody(office):
    bob = await office.person("bob")
    await office.disable("bob")
    with pytest.raises(NotYoursError):
        await office.desk.name_deputy(
            bob,
            "fay",
            role="manager",
            expires_at=office.clock.now() + 60,
            context=office.context,
        )


@pytest.mark.parametrize("acr", ["", ACR_PASSWORD, "urn:else"])
async def test_a_stolen_password_hands_on_no_role(office, acr):
    with pytest.raises(StrongerAuthenticationNeededError):
        require_second_factor(await office.person("bob", acr=acr))
    require_second_factor(await office.person("bob", acr=ACR_MULTI_FACTOR))


async def test_nobody_takes_back_what_another_named(office):
    await _name(office)
    with pytest.raises(NotADeputyError):
        await office.desk.remove_deputy(
            await office.person("cyn"), "fay", role="manager", context=office.context
        )


async def test_the_place_of_a_disabled_account_is_nobodys(office):
    await _name(office)
    await office.disable("bob")
    request_id = await office.asked(office.update())
    with pytest.raises(NotYoursError):
        await office.answers("fay", request_id)

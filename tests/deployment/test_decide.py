"""The word of somebody else: whose counts, about what, and for how long."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from remit.audit.events import BundleActivated, BundleApproved, BundleRejected
from remit.clock import EpochSeconds
from remit.deployment import (
    NotASecondPersonError,
    Person,
    approve,
    person_named,
    reject,
    withdraw,
)
from remit.errors import ConflictError, NotFoundError
from remit.identity.store import users
from remit.testing.clock import FixedClock

from .conftest import ADA, BOB, EVE, FORBID, WIDER, bundle, context_of

ALL_BUT_ONE = (
    '@id("all")\npermit (principal, action, resource) when { principal.tenant == "acme" };\n'
)


async def say_yes(process, proposal, by=BOB, *, digest=None):
    return await approve(
        process.deps,
        proposal.id,
        report_digest=digest or proposal.report_digest,
        reason="looked at",
        by=by,
        context=context_of(by),
    )


async def test_somebody_else_brings_it_into_force(process, events):
    proposal = await process.apply(bundle(WIDER))
    decided = await say_yes(process, proposal)
    assert (decided.state.value, decided.decided_by) == ("in_force", BOB.name)
    assert process.bundle == bundle(WIDER).digest
    (said,) = events.of(BundleApproved)
    assert (said.context.actor.id, said.report_digest) == (BOB.name, proposal.report_digest)
    assert events.of(BundleActivated)[-1].proposal == proposal.id


@pytest.mark.parametrize(
    "same",
    [
        ADA,
        Person("usr_other", ("user:usr_other", "identity:https://idp#ada")),
        Person("usr_ada2", ("user:usr_ada2", "user:usr_ada")),
        Person("unknown", ()),
        Person("ci", ("agent:ci", "owner:bob@acme.example")),
    ],
    ids=[
        "the same account", "linked to the same identity", "also that account", "nobody known", "an agent for itself",
    ],
)  # fmt: skip
async def test_one_person_is_not_two(process, same):
    ada = Person("usr_ada", ("user:usr_ada", "identity:https://idp#ada"))
    proposal = await process.apply(bundle(WIDER), ada)
    with pytest.raises(NotASecondPersonError):
        await say_yes(process, proposal, same)
    assert process.bundle == bundle().digest


@pytest.mark.parametrize("name", ["uid:1000", "agent:ci"])
async def test_one_system_user_and_one_agent_are_each_one(process, name):
    same = Person(name, (name,))
    proposal = await process.apply(bundle(WIDER), same)
    with pytest.raises(NotASecondPersonError):
        await say_yes(process, proposal, same)


async def test_whoever_owns_an_agent_does_not_approve_what_it_proposes(process, database):
    helper = await database.read(lambda tx: person_named(tx, "helper", process.directory.catalog))
    assert helper.known_as == ("agent:helper", "owner:lead@acme.example")
    proposal = await process.apply(bundle(WIDER), helper)
    await _account(database, "bob", attributes='{"email":"Lead@acme.example"}')
    lead = await database.read(lambda tx: person_named(tx, "usr_bob", process.directory.catalog))
    with pytest.raises(NotASecondPersonError, match="you proposed it"):
        await say_yes(process, proposal, lead)
    assert (await say_yes(process, proposal, EVE)).state.value == "in_force"


async def _account(database, username: str, **values: object) -> None:
    changed = update(users).where(users.c.username == username).values(**values)
    await database.run(lambda tx: tx.connection.execute(changed) and None)


@pytest.mark.parametrize(
    "lost", [{"roles": "[]"}, {"disabled_at": 5}], ids=["the role", "the account"]
)
async def test_whoever_may_approve_no_longer_does_not_whatever_the_token_says(
    process, database, events, lost
):
    proposal = await process.apply(bundle(WIDER))
    await _account(database, "bob", **lost)
    with pytest.raises(NotASecondPersonError, match="nothing any more"):
        await say_yes(process, proposal)
    assert process.bundle == bundle().digest
    assert events.of(BundleApproved) == []


async def test_whoever_has_no_account_approves_nothing(process):
    proposal = await process.apply(bundle(WIDER))
    with pytest.raises(NotASecondPersonError):
        await say_yes(process, proposal, Person("usr_gone", ("user:usr_gone",)))


async def test_what_was_approved_is_what_was_shown(process):
    proposal = await process.apply(bundle(WIDER))
    with pytest.raises(ConflictError, match="not what was found"):
        await say_yes(process, proposal, digest="0" * 64)
    assert process.bundle == bundle().digest


async def test_what_was_held_against_something_else_has_to_be_judged_anew(process):
    proposal = await process.apply(bundle(WIDER))
    await process.apply(bundle(FORBID))
    with pytest.raises(ConflictError, match="propose it anew"):
        await say_yes(process, proposal)
    with pytest.raises(ConflictError, match="`stale`"):
        await say_yes(process, proposal)
    assert process.bundle == bundle(FORBID).digest


async def test_a_process_whose_folder_is_another_does_not_approve_for_its_own(start):
    one = start()
    other = start(bundle({"roles.yaml": "roles: {}\n"}), instance="other")
    proposal = await one.apply(bundle(WIDER))
    with pytest.raises(ConflictError, match="propose it anew"):
        await say_yes(other, proposal)


async def test_two_words_at_once_bring_it_into_force_once(start, events):
    one, other = start(), start(instance="other")
    proposal = await one.apply(bundle(WIDER))
    results = await asyncio.gather(
        say_yes(one, proposal), say_yes(other, proposal, EVE),
        return_exceptions=True,
    )  # fmt: skip
    assert sorted(type(one).__name__ for one in results) == ["ConflictError", "Proposal"]
    assert len([one for one in events.of(BundleActivated) if one.how == "apply"]) == 1


@pytest.mark.parametrize("apart", [-86_400, 86_400], ids=["a day behind", "a day ahead"])
async def test_an_approver_whose_clock_differs_decides_all_the_same_and_once(start, events, apart):
    """What is current is told by the number of the activation, and by no clock."""
    one = start()
    other = start(instance="other", clock=FixedClock(one.clock.now() + apart))
    proposal = await one.apply(bundle(WIDER))
    assert (await say_yes(other, proposal)).state.value == "in_force"
    for process, by in ((one, EVE), (other, EVE)):
        with pytest.raises(ConflictError, match="waits for nobody"):
            await say_yes(process, proposal, by)
    stale = await one.apply(bundle({**WIDER, "policies/all.cedar": ALL_BUT_ONE}), ADA)
    assert stale.state.value == "in_force"
    await other.book.refresh()
    assert one.bundle == other.bundle == stale.bundle
    assert [one.sequence for one in events.of(BundleActivated)] == [1, 2, 3]


async def test_where_one_person_is_enough_the_proposer_may_say_yes_to_the_replay(start):
    process = start(bundle(rules="second_person: never"))
    proposal = await process.apply(bundle(WIDER, rules="second_person: never"))
    assert proposal.state.value == "in_force"


async def test_no_is_no(process, events):
    proposal = await process.apply(bundle(WIDER))
    decided = await reject(
        process.deps, proposal.id, reason="too wide", by=BOB, context=context_of(BOB)
    )
    assert (decided.state.value, decided.decision) == ("rejected", "too wide")
    assert [one.reason for one in events.of(BundleRejected)] == ["too wide"]
    with pytest.raises(ConflictError):
        await say_yes(process, proposal)
    with pytest.raises(ConflictError):
        await reject(process.deps, proposal.id, reason="", by=BOB, context=context_of(BOB))


async def test_only_ones_own_is_taken_back(process):
    proposal = await process.apply(bundle(WIDER))
    with pytest.raises(NotASecondPersonError, match="somebody else's"):
        await withdraw(process.deps, proposal.id, reason="", by=BOB, context=context_of(BOB))
    taken = await withdraw(process.deps, proposal.id, reason="", by=ADA, context=context_of(ADA))
    assert taken.state.value == "rejected"


async def test_a_proposal_that_nobody_made_is_not_found(process):
    nothing = replace(await process.apply(bundle(WIDER)), id="prp_nothing")
    for asked in (
        say_yes(process, nothing),
        reject(process.deps, "prp_nothing", reason="", by=BOB, context=context_of(BOB)),
        withdraw(process.deps, "prp_nothing", reason="", by=BOB, context=context_of(BOB)),
    ):
        with pytest.raises(NotFoundError):
            await asked


async def test_a_log_that_takes_nothing_leaves_it_waiting(process, events):
    proposal = await process.apply(bundle(WIDER))
    events.failure = RuntimeError("the disk is full")
    with pytest.raises(RuntimeError):
        await say_yes(process, proposal)
    events.failure = None
    assert process.bundle == bundle().digest
    process.clock.set(EpochSeconds(process.clock.now() + 60))
    assert (await say_yes(process, proposal)).state.value == "in_force"


async def test_where_the_folder_decides_nothing_that_waits_is_approved(process):
    proposal = await process.apply(bundle(WIDER))
    process.deps = replace(process.deps, folder_decides=True)
    with pytest.raises(ConflictError, match="from its folder"):
        await say_yes(process, proposal)
    assert process.bundle == bundle().digest

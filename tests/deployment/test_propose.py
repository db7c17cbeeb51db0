"""Proposing: what comes into force at once, what waits, what is turned away, and who wins of two at once."""

import asyncio
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit.events import BundleActivated, BundleProposed, BundleRefused
from remit.deployment import (
    BadSignatureError,
    How,
    NotTriableError,
    TablesFailedError,
    WrongOriginError,
    activations_so_far,
    exported,
)
from remit.deployment.deps import FolderDecidesError
from remit.deployment.sealing import InstallationKey, publisher_keys, sign_bundle
from remit.errors import ConflictError
from remit.repository import RepositoryInvalidError
from remit.testing.clock import FixedClock

from .conftest import ADA, BOB, CALM, FORBID, WIDER, bundle

FAILING = """\
people:
  ann: {tenant: acme, roles: [support]}
cases:
  - name: what nobody may
    who: ann
    agent: helper
    tool: crm/get
    expect: deny
"""


async def test_what_nobody_has_to_look_at_is_in_force_when_it_returns(process, events):
    proposal = await process.apply(bundle(FORBID))
    assert (proposal.state.value, proposal.waits_for) == ("in_force", ())
    assert process.bundle == bundle(FORBID).digest
    first, second = events.of(BundleActivated)
    assert (first.how, first.bundle, first.sequence) == ("folder", bundle().digest, 1)
    assert (second.how, second.previous, second.sequence) == ("apply", bundle().digest, 2)
    (loaded,) = process.log.events
    assert (loaded.bundle, loaded.catalog_version) == (
        proposal.bundle,
        process.directory.catalog.version,
    )


async def test_every_other_process_follows_at_its_next_reading(start):
    one, other = start(), start(instance="other")
    await one.apply(bundle(FORBID))
    assert other.bundle == bundle().digest
    await other.book.refresh()
    assert other.bundle == one.bundle == bundle(FORBID).digest


async def test_the_folder_is_what_is_adopted_when_it_is_what_is_proposed(process, events):
    await process.apply(bundle())
    assert [one.how for one in events.of(BundleActivated)] == ["apply"]
    with pytest.raises(ConflictError, match="in force already"):
        await process.apply(bundle())


async def test_the_clocks_of_processes_do_not_matter(start):
    one, behind = start(), start(instance="behind", clock=FixedClock(1_700_000_000))
    await one.apply(bundle(FORBID))
    assert (await behind.apply(bundle(CALM))).state.value == "in_force"
    await one.book.refresh()
    assert one.bundle == behind.bundle == bundle(CALM).digest
    calmer = bundle({**CALM, "roles.yaml": "roles: {}\n"})
    await one.apply(calmer)
    await behind.book.refresh()
    assert behind.bundle == calmer.digest


async def test_of_two_at_once_one_is_in_force_and_the_other_is_told(start, database, key):
    one, other = start(), start(instance="other")
    wanted = bundle(FORBID), bundle({"roles.yaml": "roles: {}\n"})
    results = await asyncio.gather(
        one.apply(wanted[0]), other.apply(wanted[1]), return_exceptions=True
    )
    lost = [one for one in results if isinstance(one, Exception)]
    won = [one for one in results if not isinstance(one, Exception)]
    assert [type(one) for one in lost] == [ConflictError]
    assert len(won) == 1
    for process in (one, other):
        await process.book.refresh()
        assert process.bundle == won[0].bundle
    history = await database.read(lambda tx: activations_so_far(tx, key))
    assert [one.sequence for one in history] == [2, 1]


async def test_what_widens_something_privileged_waits_for_a_second_person(process, events):
    before = process.bundle
    proposal = await process.apply(bundle(WIDER))
    assert proposal.state.value == "waits"
    assert "second_person" in proposal.waits_for
    assert process.bundle == before
    assert events.of(BundleActivated) == []
    (proposed,) = events.of(BundleProposed)
    assert proposed.report["privileged"] >= 1


async def test_nobody_loosens_the_rule_by_which_they_are_judged(start):
    strict = start(bundle(rules="second_person: always"))
    proposal = await strict.apply(bundle(rules="second_person: never"))
    assert (proposal.state.value, "second_person" in proposal.waits_for) == ("waits", True)
    loose = start()
    proposal = await loose.apply(bundle(rules="second_person: never"))
    assert proposal.state.value == "waits", "the rules themselves are privileged"


async def test_what_does_not_check_is_turned_away_and_recorded(process, events):
    broken = bundle({"policies/broken.cedar": "permit("})
    with pytest.raises(RepositoryInvalidError):
        await process.apply(broken)
    (refused,) = events.of(BundleRefused)
    assert (refused.bundle, refused.error) == (broken.digest, "repository_invalid")
    assert process.bundle == bundle().digest


async def test_a_bundle_whose_tables_fail_is_turned_away(process, events):
    with pytest.raises(TablesFailedError, match="1 of 1 cases"):
        await process.apply(bundle({"tests/t.yaml": FAILING}))
    assert [one.error for one in events.of(BundleRefused)] == ["tests_failed"]


async def test_tables_that_fail_are_only_told_where_they_are_not_required(start):
    process = start(bundle(rules="tests_required: false"))
    proposal = await process.apply(bundle({"tests/t.yaml": FAILING}, rules="tests_required: false"))
    assert proposal.state.value == "in_force"
    assert len(proposal.report["tests"]["failures"]) == 1


async def test_whoever_takes_a_test_away_is_looked_at(start):
    passing = FAILING.replace("expect: deny", "expect: allow")
    process = start(bundle({"tests/t.yaml": passing}))
    proposal = await process.apply(bundle(FORBID))
    assert (proposal.state.value, proposal.waits_for) == ("waits", ("weaker_tests",))
    assert proposal.report["tests"]["weakened"] == [
        "tests/t.yaml, `what nobody may`: nothing asks it any more"
    ]


async def test_whoever_turns_round_what_a_test_expects_is_looked_at(start):
    """As many cases as before, all of them pass, and what was to stay refused is allowed."""
    process = start(bundle({"tests/t.yaml": FAILING, **FORBID}))
    turned = FAILING.replace("expect: deny", "expect: allow")
    proposal = await process.apply(bundle({"tests/t.yaml": turned}))
    assert proposal.state.value == "waits"
    assert "weaker_tests" in proposal.waits_for
    (told,) = proposal.report["tests"]["weakened"]
    assert told == "tests/t.yaml, `what nobody may`: expected deny, now allow"


async def test_only_signed_bundles_are_taken_where_keys_are_named(start, events):
    private, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    believed = publisher_keys({"keys": [InstallationKey(private).jwk]})
    process = start(publishers=believed)
    for unsigned in (bundle(FORBID), sign_bundle(bundle(FORBID), stranger)):
        with pytest.raises(BadSignatureError):
            await process.apply(unsigned)
    moved = replace(bundle(FORBID), signatures=sign_bundle(bundle(), private).signatures)
    with pytest.raises(BadSignatureError):
        await process.apply(moved)
    assert {one.error for one in events.of(BundleRefused)} == {"bad_signature"}
    assert (await process.apply(sign_bundle(bundle(FORBID), private))).state.value == "in_force"


async def test_only_what_was_in_force_in_a_stage_before_may_come(
    start, database, key, open_database
):
    believed = publisher_keys({"keys": [key.jwk]})
    process = start(bundle(rules="from_stages: [staging]"), stage="prod", publishers=believed)
    wanted = bundle(FORBID, rules="from_stages: [staging]")

    signed = wanted.with_signature(key.signature(wanted))
    with pytest.raises(WrongOriginError, match="only what was in force in `staging`"):
        await process.apply(signed)
    forged = replace(signed, provenance={"bundle": wanted.digest, "stage": "staging", "key": "x"})
    with pytest.raises(WrongOriginError, match="not believed"):
        await process.apply(forged, how=How.PROMOTE)


async def test_a_bundle_brings_where_it_was_in_force(start, database, key):
    staging = start(stage="staging")
    await staging.apply(bundle(FORBID))
    carried = await database.read(
        lambda tx: exported(tx, key, bundle(FORBID).digest, url="https://staging", now=9)
    )
    assert (carried.provenance["stage"], carried.provenance["is_in_force"]) == ("staging", True)
    believed = publisher_keys({"keys": [key.jwk]})
    await database.run(lambda tx: tx.connection.execute(text("DELETE FROM activations")) and None)
    prod = start(
        bundle(rules="from_stages: [staging]"), stage="prod", publishers=believed, instance="prod"
    )
    other = replace(carried, provenance={**carried.provenance, "stage": "prod"})
    with pytest.raises(WrongOriginError):
        await prod.apply(other, how=How.PROMOTE)
    proposal = await prod.apply(carried, how=How.PROMOTE)
    assert proposal.how is How.PROMOTE
    assert proposal.state.value == "waits", "it drops `from_stages`, which loosens the rules"


async def test_what_cannot_be_tried_on_some_agents_comes_whole_or_not_at_all(start):
    renamed = bundle({"servers/new.yaml": FILES_NEW_SERVER})
    with pytest.raises(NotTriableError, match="server `new`"):
        await start().apply(renamed, share=10)
    careful = start(bundle(rules="trial_share: 10"))
    proposal = await careful.apply(
        bundle({"servers/new.yaml": FILES_NEW_SERVER}, rules="trial_share: 10")
    )
    assert (proposal.state.value, "untried" in proposal.waits_for) == ("waits", True)


async def test_nothing_is_taken_where_the_folder_decides(process):
    deps = replace(process.deps, folder_decides=True)
    process.deps = deps
    with pytest.raises(FolderDecidesError):
        await process.apply(bundle(FORBID), BOB)


async def test_a_log_that_takes_nothing_keeps_everything_as_it_was(process, events):
    events.failure = RuntimeError("the disk is full")
    with pytest.raises(RuntimeError):
        await process.apply(bundle(FORBID), ADA)
    events.failure = None
    await process.book.refresh()
    assert process.bundle == bundle().digest


FILES_NEW_SERVER = """\
title: New
owner: crm@acme.example
shared: true
environment: prod
upstream: {http: {url: 'https://new.example/mcp'}}
tools:
  look: {operation: read, scopes: [crm:accounts.read], sensitivity: low}
"""

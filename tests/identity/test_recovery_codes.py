"""Recovery codes: ten, each good once, kept as digests."""

import asyncio

import pytest

from remit.audit.events import RecoveryCodesIssued, RecoveryCodeUsed
from remit.identity.recovery_codes import (
    accept_recovery_code,
    issue_recovery_codes,
    new_recovery_codes,
)
from tests.identity.conftest import ADMIN


def _issue(deps, user, codes, clock):
    deps.database.run_now(
        lambda tx: issue_recovery_codes(tx, user.id, codes, now=clock.now(), context=ADMIN)
    )


def _accept(deps, user, code, clock):
    return deps.database.run(
        lambda tx: accept_recovery_code(tx, user.id, code, now=clock.now(), context=ADMIN)
    )


def test_ten_codes_that_nobody_guesses_or_misreads():
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert len(code.replace("-", "")) == 16
        assert not set(code) & set("ilou")


async def test_of_many_who_send_one_code_at_once_one_is_let_in(deps, add_user, clock, events):
    user, codes = await add_user(), new_recovery_codes()
    _issue(deps, user, codes, clock)
    results = await asyncio.gather(*(_accept(deps, user, codes[0], clock) for _ in range(8)))
    assert results.count(True) == 1
    assert [one.left for one in events.of(RecoveryCodeUsed)] == [9]
    assert [one.count for one in events.of(RecoveryCodesIssued)] == [10]


async def test_how_a_code_is_typed_does_not_matter(deps, add_user, clock):
    user, codes = await add_user(), ("0123-4567-89ab-cdef", "1111-0000-1111-0000")
    _issue(deps, user, codes, clock)
    assert await _accept(deps, user, " 0123 4567 89AB CDEF ", clock)
    assert await _accept(deps, user, "lIl1-oO0o-1111-0000", clock)


@pytest.mark.parametrize("typed", ["", "-", "0123", "0123-4567-89ab-cdeg"])
async def test_anything_else_is_no_code(deps, add_user, clock, typed):
    user = await add_user()
    _issue(deps, user, ("0123-4567-89ab-cdef",), clock)
    assert not await _accept(deps, user, typed, clock)


async def test_what_is_stored_is_no_code(deps, add_user, clock):
    user, codes = await add_user(), new_recovery_codes()
    _issue(deps, user, codes, clock)
    stored = repr(
        deps.database.read_now(
            lambda tx: tx.connection.exec_driver_sql("SELECT * FROM recovery_codes").all()
        )
    )
    for code in codes:
        assert code not in stored
        assert code.replace("-", "") not in stored

"""Codes by the clock: the vectors of the standard, each good once."""

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from remit.identity.factor_store import add_one_time_password, sealed_one_time_password
from remit.identity.one_time_password import (
    accept_code,
    address_of,
    confirm_secret,
    new_one_time_password,
    offer_secret,
    offered_secret,
    picture_of,
)
from remit.secrets import MasterKey, SealBrokenError, SecretBox

# RFC 6238 Appendix B, SHA-1; of its eight digits the last six.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
VECTORS = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]

BOX = SecretBox(MasterKey(b"k" * 32))


@pytest.mark.parametrize(("now", "code"), VECTORS)
def test_the_vectors_of_the_standard(now, code):
    confirmed = confirm_secret(BOX, "usr_1", SECRET, code=code, now=now)
    assert confirmed is not None
    assert confirmed.step == now // 30


@pytest.mark.parametrize(
    "code",
    ["", "28708", "2870821", "abcdef", "\uff12\uff18\uff17\uff10\uff18\uff12", "-87082", "287 081"],
)
def test_what_is_not_the_code_is_refused(code):
    assert confirm_secret(BOX, "usr_1", SECRET, code=code, now=59) is None


def test_blanks_in_a_code_do_not_matter():
    assert confirm_secret(BOX, "usr_1", SECRET, code=" 287 082 ", now=59) is not None


async def test_of_many_who_send_one_code_at_once_one_is_let_in(deps, add_user, clock):
    user = await add_user()
    confirmed = confirm_secret(deps.box, user.id, SECRET, code="287082", now=59)
    assert confirmed is not None
    deps.database.run_now(
        lambda tx: add_one_time_password(
            tx, user.id, sealed_secret=confirmed.sealed, step=0, at=clock.now()
        )
    )
    results = await asyncio.gather(
        *(
            deps.database.run(lambda tx: accept_code(tx, deps.box, user.id, "287082", now=59))
            for _ in range(8)
        )
    )
    assert results.count(True) == 1


async def test_the_secret_is_sealed_for_its_account_alone(deps, add_user, clock):
    ada, bob = await add_user(), await add_user("bob")
    confirmed = confirm_secret(deps.box, ada.id, SECRET, code="287082", now=59)
    assert confirmed is not None
    assert SECRET not in confirmed.sealed
    deps.database.run_now(
        lambda tx: add_one_time_password(
            tx, bob.id, sealed_secret=confirmed.sealed, step=0, at=clock.now()
        )
    )
    stored = deps.database.read_now(lambda tx: sealed_one_time_password(tx, bob.id))
    assert stored == confirmed.sealed
    with pytest.raises(SealBrokenError):
        deps.database.run_now(lambda tx: accept_code(tx, deps.box, bob.id, "287082", now=59))


def test_an_account_without_a_secret_has_no_code(deps):
    assert not deps.database.run_now(
        lambda tx: accept_code(tx, deps.box, "usr_nobody", "287082", now=59)
    )


def test_an_offer_opens_for_its_account_until_it_is_old():
    offer = offer_secret(BOX, "usr_1", SECRET, now=1000)
    assert offered_secret(BOX, "usr_1", offer, now=1899) == SECRET
    assert offered_secret(BOX, "usr_1", offer, now=1900) is None
    assert offered_secret(BOX, "usr_2", offer, now=1000) is None
    assert offered_secret(BOX, "usr_1", "v1.AAAA", now=1000) is None


def test_a_secret_has_160_bits_and_its_picture_is_an_image_of_our_own():
    assert len({new_one_time_password() for _ in range(20)}) == 20
    assert len(new_one_time_password()) == 32
    address = address_of(SECRET, username="ada@x", issuer="Acme & Co")
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Acme & Co:ada@x"
    assert parse_qs(parts.query)["secret"] == [SECRET]
    assert picture_of(address).startswith("data:image/svg+xml")

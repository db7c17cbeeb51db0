"""What is shown of a request, and the digest of it."""

import hashlib
from dataclasses import replace

import pytest

from remit.approvals.access import Holder, HolderKind, Wish
from remit.approvals.errors import NotYoursError
from remit.approvals.page_call import CallView
from remit.approvals.page_view import shown_of
from remit.approvals.page_wish import WishView
from remit.approvals.request import About
from remit.clock import Seconds
from remit.identity import Passwords
from remit.model import AccessOffer
from tests.approvals.front import front_of


@pytest.fixture
def front(office):
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    yield front_of(office, passwords)
    passwords.close()


async def test_the_digest_is_of_the_very_words(front, office):
    request = await office.desk.read(await office.asked(), await office.person("ada"))
    shown = await shown_of(front.deps, request)
    assert isinstance(shown.view, CallView)
    assert shown.digest == hashlib.sha256(shown.view.text.encode()).hexdigest()


async def test_access_that_somebody_asks_for_is_shown_as_such(front, office):
    offer = AccessOffer(name="billing", role="finance", people_roles=("manager",))
    office.use_approvals(access={"billing": offer})
    bob = Holder(kind=HolderKind.USER, id="usr_bob", tenant="acme", username="bob")
    wish = Wish(offer="billing", seconds=Seconds(900), justification={"reason": "<month> end"})
    access = await front.deps.access.request(bob, wish, context=office.context)
    call = await office.desk.read(await office.asked(), await office.person("ada"))
    request = replace(call, about=About.ACCESS, grant_id=access.id, user_id="usr_bob", kind=None)
    shown = await shown_of(front.deps, request)
    assert isinstance(shown.view, WishView)
    assert shown.view.title == "finance for 15 minutes"
    assert "&lt;month&gt; end" in shown.view.text
    assert shown.digest == hashlib.sha256(shown.view.text.encode()).hexdigest()


async def test_access_that_is_gone_is_shown_to_nobody(front, office):
    call = await office.desk.read(await office.asked(), await office.person("ada"))
    with pytest.raises(NotYoursError):
        await shown_of(front.deps, replace(call, about=About.ACCESS, grant_id="acc_gone"))

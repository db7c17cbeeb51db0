"""The inbox: what waits for somebody, and for whom else."""

from dataclasses import replace

import pytest

from remit.approvals.desk import Desk
from remit.approvals.page_inbox import alike
from remit.identity import Passwords
from remit.ids import GrantId
from remit.secrets import MasterKey, SecretBox
from tests.approvals.front import front_of, words_of


@pytest.fixture
def front(office):
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    yield front_of(office, passwords)
    passwords.close()


async def inbox(front, name: str) -> str:
    page = await (await front.visitor(name)).get("/approvals")
    assert page.status_code == 200
    return words_of(page.text)


async def test_what_others_ask_does_not_crowd_out_what_is_ones_own(front, office):
    await office.asked(office.update(note="mine"))
    await office.grant("gnt_2", user_id="usr_fay")
    (mine,) = await office.desk.own(await office.person("ada"), limit=1)
    office.later(1)
    raw = {"sub": "usr_fay", "grant_id": GrantId("gnt_2")}
    await office.asked(office.refund("6000.00", token=raw))
    assert await office.desk.own(await office.person("ada"), limit=1) == (mine,)
    assert "Yours, waiting for others Update account" in await inbox(front, "ada")


async def test_one_that_does_not_open_keeps_nothing_else_from_whose_it_is(office):
    await office.asked(office.update(note="mine"))
    desk = Desk(replace(office.deps, box=SecretBox(MasterKey(bytes(range(1, 33))))))
    assert await desk.own(await office.person("ada"), limit=1) == ()


async def test_an_empty_inbox_says_so(front):
    assert "Nothing at the moment" in await inbox(front, "bob")


async def test_who_is_not_logged_in_logs_in_and_comes_back(front):
    response = await (await front.visitor(None)).get("/approvals")
    assert response.headers["location"] == "/login?return_to=%2Fapprovals"


async def test_ones_own_agents_and_others_stand_apart(front, office):
    await office.asked(office.refund("600.00"))
    await office.asked(office.update(note="x"))
    mine = await inbox(front, "ada")
    assert "Your own agents ask Refund €600.00" in mine
    assert "Yours, waiting for others Update account" in mine
    theirs = await inbox(front, "bob")
    assert "Others need your approval Update account" in theirs
    assert "Refund" not in theirs


@pytest.mark.parametrize("name", ["fay", "eve"])
async def test_nobody_reads_what_is_not_for_them(front, office, name):
    await office.asked(office.refund("600.00"))
    await office.asked(office.update(note="x"))
    words = await inbox(front, name)
    assert "Refund" not in words
    assert "Update" not in words


async def test_what_is_alike_is_one_line_that_says_what_it_comes_to(front, office):
    for value in ("600.00", "700.50", "800.00"):
        await office.asked(office.refund(value))
    words = await inbox(front, "ada")
    assert "3 alike, €2,100.50 together" in words
    assert "€700.50" not in words


async def test_amounts_of_several_currencies_are_not_added(front, office):
    await office.asked(office.refund("600.00"))
    await office.asked(office.refund("700.00", currency="USD"))
    words = await inbox(front, "ada")
    assert "2 alike" in words
    assert "together" not in words


async def test_the_account_page_leads_here(front):
    visitor = await front.visitor("ada")
    page = await visitor.get("/account")
    assert 'href="/approvals"' in page.text
    assert 'href="/access"' in page.text


async def test_whom_it_is_about_tells_one_line_from_another(front, office):
    await office.asked(office.update(to="grace@acme.example\u202e"))
    assert "To : grace@acme.example U+202E" in await inbox(front, "bob")


async def test_what_is_over_is_no_longer_there(front, office):
    await office.asked()
    office.later(601)
    assert "Nothing at the moment" in await inbox(front, "ada")


async def test_only_what_differs_in_its_arguments_alone_is_alike(office):
    await office.asked(office.refund("600.00"))
    await office.asked(office.refund("700.00"))
    await office.asked(office.refund("6000.00"))
    await office.asked(office.update(name="x"))
    await office.asked(office.update(name="y", note="one more"))
    office.define("another definition")
    await office.asked(office.refund("800.00"))
    waiting = await office.desk.inbox(await office.person("ada"))
    groups = [[one.arguments["amount"]["value"] for one in group] for group in alike(waiting)]
    assert groups == [["600.00", "700.00"], ["6000.00"], ["800.00"]]
    waiting = await office.desk.inbox(await office.person("cyn"))
    updates = [one for one in waiting if one.thing == "update_account"]
    assert [len(group) for group in alike(updates)] == [1, 1]

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import DefinitionAdmitted, DefinitionRejected
from remit.clock import EpochSeconds
from remit.errors import ConflictError, NotFoundError
from remit.policy.evaluation import ResourceKind
from remit.registry.definition_store import Cause, DefinitionState
from remit.registry.review import Verdict, admit_definition, differences, reject_definition

from .test_pinning import OTHER, TOOL, Book

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
NOW = EpochSeconds(2_000)


@pytest.fixture
async def book(database):
    book = Book(database)
    await book.sees(TOOL)
    await book.sees(OTHER)
    return book


def verdict(row, **changes):
    given = {"digest": row.offered_digest or row.admitted_digest, "name": row.name}
    return Verdict(server=row.server, thing=row.thing, reason="looked at", **given | changes)


async def decide(book, how, said):
    return await book.database.run(lambda tx: how(tx, said, now=NOW, context=ADMIN))


async def test_what_is_admitted_is_what_counts_from_then_on(book, events):
    before = await book.row()
    await decide(book, admit_definition, verdict(before))
    row = await book.row()
    assert (row.state, row.admitted_digest, row.offered) == (
        DefinitionState.ADMITTED, before.offered_digest, None,
    )  # fmt: skip
    assert (row.decided_by, row.decided_at) == ("root", NOW)
    (event,) = events.of(DefinitionAdmitted)
    assert (event.replaced_digest, event.reason) == (before.admitted_digest, "looked at")
    assert not await book.sees(OTHER)


async def test_what_is_rejected_does_not_come_back_by_being_offered_again(book, events):
    await decide(book, reject_definition, verdict(await book.row()))
    assert not await book.sees(OTHER)
    assert (await book.row()).state is DefinitionState.REJECTED
    assert len(events.of(DefinitionRejected)) == 1


async def test_what_is_rejected_and_then_offered_in_other_words_waits_again(book):
    await decide(book, reject_definition, verdict(await book.row()))
    await book.sees(TOOL | {"description": "Third."})
    assert (await book.row()).waits


async def test_what_was_admitted_and_is_rejected_does_not_come_back_by_a_detour(database):
    """A server would otherwise say something else for a moment, and be forgiven for saying the first again."""
    book = Book(database)
    await book.sees(TOOL)
    await decide(book, reject_definition, verdict(await book.row()))
    for offered in (TOOL, OTHER, TOOL, OTHER, TOOL):
        await book.sees(offered)
        assert (await book.row()).state is not DefinitionState.ADMITTED
    await decide(book, admit_definition, verdict(await book.row()))
    assert (await book.row()).state is DefinitionState.ADMITTED
    assert not await book.sees(TOOL)


async def test_what_was_rejected_before_it_was_ever_admitted_waits_in_other_words(database):
    book = Book(database)
    await book.sees(TOOL | {"description": "x" * 300_000})
    await decide(book, reject_definition, verdict(await book.row()))
    for _ in range(3):
        await book.sees(OTHER)
        row = await book.row()
        assert (row.waits, row.cause) == (True, Cause.UNREVIEWED)


async def test_what_was_rejected_can_be_admitted_after_all(book):
    await decide(book, reject_definition, verdict(await book.row()))
    await decide(book, admit_definition, verdict(await book.row()))
    assert (await book.row()).state is DefinitionState.ADMITTED


@pytest.mark.parametrize("how", [admit_definition, reject_definition])
@pytest.mark.parametrize(
    ("changes", "error"),
    [({"digest": "0" * 64}, ConflictError), ({"name": "nothing"}, NotFoundError)],
    ids=["another-digest", "no-such-thing"],
)
async def test_nobody_decides_about_what_they_have_not_seen(book, how, changes, error):
    before = await book.row()
    with pytest.raises(error):
        await decide(book, how, verdict(before, **changes))
    assert await book.row() == before


@pytest.mark.parametrize("how", [admit_definition, reject_definition])
async def test_nothing_is_decided_twice(book, how):
    await decide(book, how, verdict(await book.row()))
    with pytest.raises(ConflictError):
        await decide(book, how, verdict(await book.row()))


async def test_the_difference_is_told_member_by_member(book):
    await book.sees(OTHER | {"inputSchema": {"type": "object", "required": ["all"]}})
    told = {one.member: one.lines for one in differences(await book.row())}
    assert told["description"] == ("-Find.", "+Find, and tell all.")
    assert told["inputSchema"] == (
        " {", '+  "required": [', '+    "all"', "+  ],", '   "type": "object"', " }",
    )  # fmt: skip
    assert "name" not in told


async def test_of_what_was_never_admitted_everything_is_shown(book):
    await book.sees(TOOL | {"name": "new"})
    told = {one.member: one.lines for one in differences(await book.row("new"))}
    assert list(told) == ["name", "description", "inputSchema"]
    assert told["description"] == ("+Find.",)


async def test_a_text_of_thousands_of_lines_is_shown_without_being_compared_for_ever(book):
    await book.sees(TOOL | {"description": "\n".join(f"line {number}" for number in range(10_000))})
    told = {one.member: one.lines for one in differences(await book.row())}
    assert len(told["description"]) == 2_001
    assert told["description"][-1].startswith(" and ")


async def test_a_line_without_end_is_folded(book):
    await book.sees(TOOL | {"description": "words " * 100})
    told = {one.member: one.lines for one in differences(await book.row())}
    assert max(map(len, told["description"])) <= 101


def test_a_thing_is_of_a_kind_that_the_guard_knows():
    assert Verdict(server="crm", thing=ResourceKind.TOOL, name="x", digest="d").reason == ""

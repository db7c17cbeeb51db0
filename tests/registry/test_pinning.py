"""What becomes of an offer, on both databases: every state it can meet, every list it can stand in."""

from dataclasses import replace

import pytest

from remit.audit.events import DefinitionAdmitted, DefinitionPinned, DefinitionQuarantined
from remit.clock import EpochSeconds
from remit.model import Pinning
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import offers_of
from remit.registry.definition_store import (
    Cause,
    DefinitionState,
    Seen,
    admitted_texts,
    every_standing,
    of_server,
)
from remit.registry.pinning import MAX_UNDECLARED, observe, shadowed
from tests.gateway.doubles import catalog_of, changed, server_of

NOW = EpochSeconds(1_000)
TOOL = {"name": "find", "description": "Find.", "inputSchema": {"type": "object"}}
OTHER = TOOL | {"description": "Find, and tell all."}
SERVER = server_of()
FIND = SERVER.tools["find"]
ZERO_WIDTH = "fi\u200bnd"


def offers(*items):
    return offers_of(ResourceKind.TOOL, "name", items, SERVER)


class Book:
    """The table, as one process writes it."""

    def __init__(self, database, server=SERVER, others=()):
        self.database, self.server, self.catalog = database, server, catalog_of(server, *others)

    async def sees(self, *items, seen=Seen.OWN) -> bool:
        return await self.database.run(
            lambda tx: observe(
                tx, self.server, offers(*items), catalog=self.catalog, seen=seen, now=NOW
            )
        )

    async def row(self, name="find"):
        rows = await self.database.read(lambda tx: of_server(tx, self.server.name))
        return next((row for row in rows if row.name == name), None)


@pytest.fixture
def book(database):
    return Book(database)


async def test_the_first_definition_of_what_the_catalog_declares_is_admitted(book, events):
    assert await book.sees(TOOL)
    row = await book.row()
    assert row.state is DefinitionState.ADMITTED
    (event,) = events.of(DefinitionPinned)
    assert (event.server, event.thing, event.name, event.digest) == (
        "crm", "tool", "find", row.admitted_digest,
    )  # fmt: skip


async def test_what_was_seen_before_writes_nothing(book, events):
    await book.sees(TOOL)
    assert not await book.sees(TOOL)
    assert not await book.sees(TOOL, seen=Seen.CALLER)
    assert len(events.recorded) == 1


@pytest.mark.parametrize("seen", list(Seen))
async def test_a_change_is_quarantined_with_one_event(book, events, seen):
    await book.sees(TOOL)
    await book.sees(OTHER, seen=seen)
    await book.sees(OTHER | {"title": "again"}, seen=seen)
    row = await book.row()
    assert (row.state, row.cause) == (DefinitionState.QUARANTINED, Cause.CHANGED)
    (event,) = events.of(DefinitionQuarantined)
    assert event.detail == "differs in description"
    assert event.admitted_digest == row.admitted_digest
    assert "tell all" not in str(event)


async def test_a_change_of_what_no_protocol_knows_is_not_repeated_in_the_event(book, events):
    await book.sees(TOOL)
    await book.sees(TOOL | {"x-secret-words": 1})
    assert events.of(DefinitionQuarantined)[0].detail == "differs in others"


async def test_a_change_that_is_taken_back_is_lifted(book, events):
    await book.sees(TOOL)
    await book.sees(OTHER)
    await book.sees(TOOL)
    row = await book.row()
    assert (row.state, row.cause, row.offered) == (DefinitionState.ADMITTED, None, None)
    (event,) = events.of(DefinitionAdmitted)
    assert event.reason == "the server offers again what was admitted"


async def test_what_a_caller_alone_was_shown_is_not_forgiven_when_remit_looks(book):
    await book.sees(TOOL)
    await book.sees(OTHER, seen=Seen.CALLER)
    await book.sees(TOOL)
    await book.sees(TOOL, seen=Seen.CALLER)
    assert (await book.row()).state is DefinitionState.QUARANTINED


async def test_what_everybody_was_shown_after_all_is_forgiven(book):
    await book.sees(TOOL)
    await book.sees(OTHER, seen=Seen.CALLER)
    await book.sees(OTHER)
    await book.sees(TOOL)
    assert (await book.row()).state is DefinitionState.ADMITTED


async def test_a_callers_list_takes_no_quarantine_back(book):
    await book.sees(TOOL)
    await book.sees(OTHER)
    await book.sees(TOOL, seen=Seen.CALLER)
    assert (await book.row()).state is DefinitionState.QUARANTINED


async def test_a_caller_of_an_earlier_revision_sees_less_and_nothing_else(book):
    await book.sees(TOOL | {"title": "Find", "outputSchema": {"type": "object"}})
    assert not await book.sees(TOOL, seen=Seen.CALLER)
    assert (await book.row()).state is DefinitionState.ADMITTED
    assert await book.sees(OTHER, seen=Seen.CALLER)


async def test_a_tool_that_the_catalog_lacks_is_told_of_once(book, events):
    new = TOOL | {"name": "speak"}
    await book.sees(TOOL, new)
    await book.sees(TOOL, new | {"description": "Speak up."})
    row = await book.row("speak")
    assert (row.state, row.cause) == (DefinitionState.QUARANTINED, Cause.NEW)
    assert len(events.of(DefinitionQuarantined)) == 1


async def test_a_new_tool_that_is_declared_later_is_pinned_when_it_is_seen_again(book, database):
    new = TOOL | {"name": "speak"}
    await book.sees(new)
    tools = {"find": FIND, "speak": replace(FIND, name="speak")}
    assert await Book(database, changed(SERVER, tools=tools)).sees(new)
    assert (await book.row("speak")).state is DefinitionState.ADMITTED


async def test_a_server_cannot_fill_the_table(book):
    await book.sees(*(TOOL | {"name": f"tool-{number}"} for number in range(MAX_UNDECLARED + 50)))
    await book.sees(*(TOOL | {"name": f"more-{number}"} for number in range(50)))
    rows = await book.database.read(lambda tx: of_server(tx, SERVER.name))
    assert len(rows) == MAX_UNDECLARED
    await book.sees(TOOL)
    assert (await book.row()).state is DefinitionState.ADMITTED


async def test_where_a_review_is_asked_for_nothing_is_admitted_by_being_seen(database, events):
    book = Book(database, changed(SERVER, pinning=Pinning.REVIEWED))
    await book.sees(TOOL)
    row = await book.row()
    assert (row.state, row.cause) == (DefinitionState.QUARANTINED, Cause.UNREVIEWED)
    assert events.of(DefinitionPinned) == []


async def test_what_was_pinned_unreviewed_waits_once_a_review_is_asked_for(book, database):
    await book.sees(TOOL)
    await Book(database, changed(SERVER, pinning=Pinning.REVIEWED)).sees(TOOL)
    row = await book.row()
    assert (row.state, row.cause) == (DefinitionState.QUARANTINED, Cause.UNREVIEWED)


async def test_a_declared_name_that_looks_like_anothers_is_not_admitted_by_being_seen(
    database, events
):
    other = replace(server_of("bank"), tools={"FIND": replace(FIND, name="FIND")})
    book = Book(database, others=(other,))
    await book.sees(TOOL)
    assert (await book.row()).cause is Cause.SHADOWS
    assert events.of(DefinitionQuarantined)[0].detail == "its name looks like one of server `bank`"


@pytest.mark.parametrize(
    ("name", "others", "shadows"),
    [
        ("Find", (), True),
        (ZERO_WIDTH, (), True),
        ("find", (), False),
        ("other", (), False),
        ("pay", ("pay",), True),
        ("find", ("find",), False),
        ("p\u0430y", ("pay",), True),
    ],
    ids=["case", "zero-width", "itself", "another", "undeclared-of-another", "declared-on-both", "cyrillic"],
)  # fmt: skip
def test_whose_name_is_taken(name, others, shadows):
    other = replace(server_of("bank"), tools={one: replace(FIND, name=one) for one in others})
    (offer,) = offers(TOOL | {"name": name})
    assert (shadowed(SERVER, offer, catalog_of(SERVER, other)) is not None) is shadows


@pytest.mark.parametrize(
    "apart", [{"tenant": "globex"}, {"environment": "dev"}], ids=["tenant", "environment"]
)
def test_what_no_agent_can_meet_takes_no_name(apart):
    server = replace(SERVER, tenant="acme")
    other = replace(server_of("bank"), tools={"pay": replace(FIND, name="pay")}, **apart)
    (offer,) = offers(TOOL | {"name": "pay"})
    assert shadowed(server, offer, catalog_of(server, other)) is None


async def test_a_definition_that_is_too_large_is_never_admitted_by_being_seen(book):
    await book.sees(TOOL | {"description": "x" * 300_000})
    row = await book.row()
    assert (row.state, row.cause) == (DefinitionState.QUARANTINED, Cause.UNREVIEWED)


async def test_the_texts_are_read_by_digest(book):
    await book.sees(TOOL)
    (row,) = await book.database.read(every_standing)
    assert row.admitted is None
    texts = await book.database.read(lambda tx: admitted_texts(tx, [row.admitted_digest]))
    assert list(texts) == [row.admitted_digest]

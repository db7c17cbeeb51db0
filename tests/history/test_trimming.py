"""Nothing is kept that no declared fact reaches; and nothing is lost that one does."""

from dataclasses import replace

from remit.clock import EpochSeconds
from remit.guard.use import Whose
from remit.history.store import UseRow, add_use, members_of, tally
from remit.history.trimming import trim_history
from remit.model import LONGEST_HISTORY, HistoryFact, HistoryMeasure

DAY = 86_400
NOW = EpochSeconds(1_800_000_000)
WHO = Whose("acme", agent="assistant", subject="usr_1")
SUM = HistoryFact(
    name="spent", measure=HistoryMeasure.SUM, window=DAY, argument="amount", currency="USD"
)
TOOLS = HistoryFact(name="used", measure=HistoryMeasure.TOOLS, window=30 * DAY)


def put(database, fact, at, *, use="dec_1", member="", whose=WHO):
    row = UseRow(fact=fact.account, whose=whose, at=at, use=use, member=member, amount=10_000)
    database.run_now(lambda tx: add_use(tx, row))


def trim(database, *facts, now=NOW):
    declared = {fact.name: fact for fact in facts}
    return database.run_now(lambda tx: trim_history(tx, declared, now=now))


def known(database, fact):
    return database.read_now(lambda tx: tally(tx, fact.account, WHO, since=0)).count


def test_what_is_out_of_every_window_is_deleted_and_what_is_in_one_stays(database):
    for number, age in enumerate((0, DAY - 1, DAY, DAY + 1)):
        put(database, SUM, NOW - age, use=f"dec_{number}")
    assert trim(database, SUM) == 2
    assert known(database, SUM) == 2
    assert trim(database, SUM) == 0


def test_of_two_facts_that_count_the_same_the_longer_window_holds(database):
    longer = {"a": SUM, "b": replace(SUM, window=30 * DAY)}
    put(database, SUM, NOW - 5 * DAY, use="dec_2")
    assert database.run_now(lambda tx: trim_history(tx, longer, now=NOW)) == 0


def test_a_fact_that_nobody_declares_any_more_is_kept_for_as_long_as_anything_is(database):
    put(database, SUM, NOW - LONGEST_HISTORY, use="dec_1")
    put(database, SUM, NOW - LONGEST_HISTORY + 1, use="dec_2")
    assert trim(database) == 1
    assert known(database, SUM) == 1


def test_where_the_last_use_is_enough_the_others_go(database):
    for number in range(20):
        put(database, TOOLS, NOW - 1_000 - number, use=f"dec_{number}", member="crm/export")
    put(database, TOOLS, NOW - 2_000, use="dec_a", member="crm/get")
    other = Whose("globex", agent="assistant", subject="usr_1")
    put(database, TOOLS, NOW - 3_000, use="dec_b", member="crm/get", whose=other)
    assert trim(database, TOOLS) == 19
    members = database.read_now(
        lambda tx: [members_of(tx, TOOLS.account, one, since=0) for one in (WHO, other)]
    )
    assert members == [{"crm/export", "crm/get"}, {"crm/get"}]


def test_what_may_still_be_taken_back_is_not_thinned_nor_takes_anything_along(database):
    put(database, TOOLS, NOW - 5_000, use="dec_1", member="crm/get")
    put(database, TOOLS, NOW - 10, use="dec_2", member="crm/get")
    assert trim(database, TOOLS) == 0
    assert known(database, TOOLS) == 2


def test_a_sum_is_never_thinned(database):
    for number in range(5):
        put(database, SUM, NOW - 1_000 - number, use=f"dec_{number}")
    assert trim(database, SUM) == 0

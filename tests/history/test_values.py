"""What is told is what was allowed, whatever happened in between: held against a model that is a list."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.audit.context import Context
from remit.guard import Call, Permit
from remit.guard.use import Entry, Use, Whose
from remit.history import values
from remit.history.store import UseRow, add_use, tally
from remit.history.values import count_use, uncount_use
from remit.model import HistoryFact, HistoryMeasure

from .conftest import AT_MOST, DAY, acting

MOST = Decimal(5000)
AGENTS = ("assistant", "job")
_people = count()

amounts = st.decimals(min_value=0, max_value=4000, places=4)
steps = st.one_of(
    st.tuples(
        st.just("refund"), amounts, st.integers(0, 5), st.sampled_from(["0", "1", "01", "10"])
    ),
    st.tuples(st.just("wait"), st.integers(1, DAY)),
    st.tuples(st.just("restart")),
)


@dataclass
class Model:
    """Every allowed refund, with when and through whom it was."""

    done: list[tuple[int, Decimal, frozenset[str]]] = field(default_factory=list)

    def told(self, now: int, amount: Decimal, agents: frozenset[str]) -> Decimal:
        return max(
            amount + sum(
                (one for at, one, by in self.done if at > now - DAY and agent in by), Decimal(0)
            )
            for agent in agents
        )  # fmt: skip


async def run(world, taken) -> None:
    model, person = Model(), f"usr_{next(_people)}"
    world.restart()
    for step in taken:
        if step[0] == "restart":
            world.restart()
        elif step[0] == "wait":
            world.clock.advance(step[1])
            world.stand()
        else:
            _, amount, session, chain = step
            through = [AGENTS[int(one)] for one in chain]
            claims = acting(*through) if len(through) > 1 else {"agent_id": through[0]}
            who = {**world.another_session(session), **claims, "sub": person}
            agents = frozenset(through)
            now = world.clock.now()
            told = model.told(now, amount, agents)
            answer = await world.refunds(str(amount), token=who)
            assert Decimal(world.last.history["refunded"]) == told
            assert isinstance(answer, Permit) == (told <= MOST)
            if told <= MOST:
                model.done.append((now, amount, agents))


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(taken=st.lists(steps, max_size=12))
def test_the_sum_that_policies_are_told_is_that_of_the_allowed_calls_in_the_window(world, taken):
    world.use_policies(AT_MOST)
    asyncio.run(run(world, taken))


def merged(database, fact, whose, at, times):
    """Put `times` uses a second apart into one past, the last at `at`, and then one more now."""

    def put(tx):
        for number in range(times):
            add_use(
                tx,
                UseRow(
                    fact=fact.account,
                    whose=whose,
                    at=at - number,
                    use=f"dec_{number}",
                    amount=25_000,
                ),
            )

    database.run_now(put)


def test_a_past_of_very_many_uses_is_merged_and_comes_to_the_same(database, monkeypatch):
    monkeypatch.setattr(values, "_MANY", 100)
    fact = HistoryFact(
        name="spent", measure=HistoryMeasure.SUM, window=DAY, argument="amount", currency="USD"
    )
    whose, now = Whose("acme", agent="assistant", subject="usr_1"), 1_800_000_000
    other = Whose("globex", agent="assistant", subject="usr_1")
    merged(database, fact, other, now - 10, 50)
    merged(database, fact, whose, now - 700, 127)
    entry = Entry(fact=fact, whose=(whose,), counted=True, told=True, amount=Decimal("2.5"))
    use = Use(
        id="dec_x",
        at=now,
        call=Call(server="crm", method="", authorization=(), context=Context()),
        entries=(entry,),
    )
    assert database.run_now(lambda tx: count_use(tx, use)) == {"spent": Decimal("320.0000")}

    def rows(one, at):
        return database.read_now(lambda tx: tally(tx, fact.account, one, since=at - DAY))

    # A slot is a thousandth of the window, 84 seconds: three of them, and the one that was just counted.
    assert rows(whose, now).rows <= 4
    assert (rows(whose, now).count, rows(whose, now).amount) == (128, 3_200_000)
    assert rows(other, now).rows == 50
    database.run_now(lambda tx: uncount_use(tx, use))
    assert rows(whose, now).count == 127
    # Nothing is out of the window sooner than it would have been, and nothing stays much longer.
    assert rows(whose, now - 700 - 127 + DAY).count == 127
    assert rows(whose, now - 700 + DAY).count == 0

"""What is told is what was allowed, whatever happened in between: held against a model that is a list."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.guard import Permit

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

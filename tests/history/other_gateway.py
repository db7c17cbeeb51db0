"""Another gateway, in a process of its own, on the database that it is told: `race` or `die`.

`race`: refunds 3,000 for each of some people when it is told to go, and says for whom that was allowed.
`die`: counts a refund of 3,000, says so, and never comes to record the decision; whoever waits kills it.
"""

import asyncio
import sys

from remit.db import Database
from remit.guard import Permit
from remit.testing.clock import FixedClock
from tests.history.conftest import AT_MOST, Remembering

PEOPLE = 25


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Stuck:
    """A log that takes nothing, and says nothing."""

    async def append(self, event):
        say("counted")
        await asyncio.Event().wait()


async def race(world: Remembering) -> None:
    allowed = [
        number
        for number in range(PEOPLE)
        if isinstance(await world.refunds("3000", token={"sub": f"usr_{number}"}), Permit)
    ]
    say(" ".join(map(str, allowed)))


async def die(world: Remembering) -> None:
    world.audit = Stuck()
    world.restart()
    await world.refunds("3000")


async def main(what: str, url: str) -> None:
    database = Database.open(url)
    world = Remembering(FixedClock(), database)
    world.use_policies(AT_MOST)
    say("ready")
    sys.stdin.readline()
    await (race if what == "race" else die)(world)
    database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

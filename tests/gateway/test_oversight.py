"""What may end a call, on both event loops, and what of it the caller's own task gets to feel."""

import asyncio

import pytest
import uvloop

from remit.gateway.oversight import Ended, Oversight


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


class Client:
    """The other end: it stays until it is told to leave, or fails."""

    def __init__(self):
        self.left = asyncio.Event()
        self.failure = None
        self.asked = 0

    async def receive(self):
        self.asked += 1
        await self.left.wait()
        if self.failure is not None:
            raise self.failure
        return {"type": "http.disconnect"}


async def under(oversight, work):
    with oversight:
        await work
        return "done"
    return oversight.ended


def tasks_beside():
    return asyncio.all_tasks() - {asyncio.current_task()}


def test_a_call_that_is_soon_over_has_nobody_watching(run):
    async def main():
        client = Client()
        assert await under(Oversight(client.receive, seconds=60), asyncio.sleep(0)) == "done"
        assert client.asked == 0
        assert not tasks_beside()

    run(main())


def test_a_client_that_leaves_ends_its_call(run):
    async def main():
        client = Client()
        client.left.set()
        ended = await under(Oversight(client.receive, seconds=60), asyncio.sleep(60))
        assert ended is Ended.GONE
        assert not asyncio.current_task().cancelling()
        await asyncio.sleep(0)
        assert not tasks_beside()

    run(main())


def test_a_call_that_lasts_too_long_ends(run):
    async def main():
        ended = await under(Oversight(Client().receive, seconds=0.05), asyncio.sleep(60))
        assert ended is Ended.LATE
        await asyncio.sleep(0)
        assert not tasks_beside()

    run(main())


def test_the_first_reason_is_the_one(run):
    async def main():
        oversight = Oversight(Client().receive, seconds=0.05)
        asyncio.get_running_loop().call_soon(oversight.unbacked)
        assert await under(oversight, asyncio.sleep(60)) is Ended.UNBACKED
        oversight.unbacked()
        await asyncio.sleep(0)

    run(main())


def test_what_ends_after_the_call_ends_nothing(run):
    async def main():
        oversight = Oversight(Client().receive, seconds=60)
        assert await under(oversight, asyncio.sleep(0)) == "done"
        oversight.unbacked()
        await asyncio.sleep(0)
        assert oversight.ended is None

    run(main())


def test_a_cancellation_from_elsewhere_goes_on(run):
    async def main():
        begun = []

        async def call():
            begun.append(Oversight(Client().receive, seconds=60))
            return await under(begun[0], asyncio.sleep(60))

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        begun[0].unbacked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_an_error_of_the_call_is_its_own(run):
    async def main():
        async def fail():
            raise ValueError("wrong")

        with pytest.raises(ValueError, match="wrong"):
            await under(Oversight(Client().receive, seconds=60), fail())

    run(main())


def test_a_connection_that_cannot_be_watched_is_an_error(run):
    async def main():
        client = Client()
        client.failure = RuntimeError("no protocol")
        client.left.set()
        with pytest.raises(RuntimeError, match="no protocol"):
            await under(Oversight(client.receive, seconds=60), asyncio.sleep(60))

    run(main())

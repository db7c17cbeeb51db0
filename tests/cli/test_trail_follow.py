"""Following from one server to the next: nothing twice, and what is missing is told."""

import asyncio
import json

import pytest

from remit.cli import trail_follow
from remit.cli.connection import ManagementRefusedError, NotReachableError
from remit.cli.trail_follow import Follower


def event(number: int) -> str:
    return json.dumps({"id": f"evt_{number}", "observed": f"2026-01-05T15:00:{number:02d}.000Z"})


class Servers:
    """One server after the other: each answers with its lines, or raises what stands there, and ends."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, object]] = []

    async def lines(self, name, **query):
        assert name == "audit.tail"
        self.asked.append(query)
        if not self.answers:
            raise asyncio.CancelledError
        for one in self.answers.pop(0):
            if isinstance(one, Exception):
                raise one
            yield event(one)


AWAY = NotReachableError("away")


@pytest.fixture
def follow(monkeypatch, capsys):
    monkeypatch.setattr(trail_follow, "_PAUSE", 0)

    async def run(*answers):
        seen: list[str] = []
        servers = Servers(*answers)
        with pytest.raises((asyncio.CancelledError, NotReachableError, ManagementRefusedError)) as caught:  # fmt: skip
            await Follower(seen.append).follow(servers, {"count": 20, "kind": "x"})
        numbers = [int(json.loads(one)["id"].removeprefix("evt_")) for one in seen]
        return numbers, servers.asked, capsys.readouterr().err, caught.type

    return run


@pytest.mark.parametrize("end", [(), (AWAY,)], ids=["it_ends", "it_breaks"])
async def test_the_next_server_is_gone_on_with_where_the_last_line_was(follow, end):
    numbers, asked, said, _ = await follow((10, 11, *end), (AWAY,), (AWAY,), (10, 11, 12), (12, 13))
    assert numbers == [10, 11, 12, 13]
    assert asked[0] == {"count": 20, "kind": "x"}
    assert asked[1] == asked[3] == {"count": 1_000, "kind": "x", "since": "2026-01-05T15:00:06Z"}
    assert asked[4]["since"] == "2026-01-05T15:00:07Z"
    assert said.count("waiting for it") == 3
    assert "more came meanwhile" not in said


async def test_a_gap_is_told_with_how_to_see_what_is_in_it(follow):
    numbers, _, said, _ = await follow((10, 11), (30, 31), (31, 32))
    assert numbers == [10, 11, 30, 31, 32]
    assert said.count("more came meanwhile") == 1
    assert "since=2026-01-05T15:00:11.000Z until=2026-01-05T15:00:30.000Z" in " ".join(said.split())


@pytest.mark.parametrize(
    "error",
    [AWAY, ManagementRefusedError("no", reason="forbidden"), ManagementRefusedError("no", reason="audit_unavailable")],
    ids=["away", "forbidden", "unavailable"],
)  # fmt: skip
async def test_what_never_began_is_not_waited_for(follow, error):
    numbers, asked, _, raised = await follow((error,))
    assert (numbers, len(asked), raised) == ([], 1, type(error))


async def test_whoever_may_not_ask_any_more_is_told_and_whoever_may_later_waits(follow):
    refused = ManagementRefusedError("no", reason="invalid_token")
    starting = ManagementRefusedError("no", reason="audit_unavailable")
    numbers, asked, _, raised = await follow((10,), (starting,), (10, 11), (refused,), (12,))
    assert (numbers, len(asked), raised) == ([10, 11], 4, ManagementRefusedError)

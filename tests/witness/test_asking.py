from dataclasses import replace

import pytest

from remit.witness.asking import (
    ContradictedError,
    WitnessSilentError,
    cosigned,
    signatures_of,
)
from remit_audit_verify.tree import consistency_proof
from tests.witness.conftest import Log


class Witness:
    """The desk as somebody far away sees it; `answer` is said instead, if there is one."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.answer: tuple[int, str] | None = None
        self.asked = 0

    async def post(self, body: bytes) -> tuple[int, str]:
        self.asked += 1
        if self.answer is not None:
            return self.answer
        reply = self.desk.add_checkpoint(body)
        return reply.status, reply.body


@pytest.fixture
def witness(desk):
    return Witness(desk)


async def ask(witness, log, size, *, seen=0):
    async def prove(earlier: int, later: int) -> list[bytes]:
        return consistency_proof(earlier, log.leaves(later))

    return await cosigned(
        log.note(size), keys=witness.desk.keys, seen=seen, prove=prove, post=witness.post
    )


async def test_signatures_come_back_and_hold(witness, log, clock):
    lines = await ask(witness, log, 5)
    assert signatures_of(log.note(5) + lines, witness.desk.keys) == dict.fromkeys(
        witness.desk.keys, clock.now()
    )


async def test_a_witness_that_saw_more_than_is_known_here_is_asked_again_from_there(witness, log):
    await ask(witness, log, 5)
    await ask(witness, log, 9)
    await ask(witness, log, 12, seen=9)
    assert witness.asked == 4


async def test_a_log_that_was_set_back_is_told_apart_from_a_witness_that_is_gone(witness, log):
    await ask(witness, log, 9)
    with pytest.raises(ContradictedError, match="saw 9 records of `remit/main`, which has 5"):
        await ask(witness, log, 5)


async def test_a_fork_is_told(witness, log):
    await ask(witness, log, 5)
    fork = Log(key=log.key, salt="fork")
    with pytest.raises(ContradictedError, match="does not continue"):
        await ask(witness, fork, 9, seen=5)
    with pytest.raises(ContradictedError, match="another log of 5 records"):
        await ask(witness, fork, 5)


@pytest.mark.parametrize(
    ("status", "text"),
    [(200, ""), (200, "hello\n"), (200, "— a b\n"), (409, ""), (409, "many\n"), (403, ""), (404, ""),
     (400, ""), (500, ""), (301, "")],
    ids=range(10),
)  # fmt: skip
async def test_an_answer_that_is_none_is_no_signature(witness, log, status, text):
    witness.answer = (status, text)
    with pytest.raises(WitnessSilentError):
        await ask(witness, log, 5)


async def test_a_witness_that_changes_its_mind_is_not_asked_for_ever(witness, log):
    sizes = iter(range(1, 100))

    async def post(body: bytes) -> tuple[int, str]:
        return 409, f"{next(sizes) % 5}\n"

    witness.post = post
    with pytest.raises(WitnessSilentError, match="changes its mind"):
        await ask(witness, log, 9)


async def test_a_signature_of_another_checkpoint_is_not_taken(witness, log):
    lines = await ask(witness, log, 5)
    witness.answer = (200, lines)
    with pytest.raises(WitnessSilentError, match="does not hold"):
        await ask(witness, log, 9)
    spoilt = log.note(9) + lines
    assert signatures_of(spoilt, witness.desk.keys) == {}


async def test_lines_of_keys_that_are_not_known_are_left_out(witness, log):
    line = await ask(witness, log, 5)
    stranger = line.replace("witness.example/w1", "witness.example/w2")
    witness.answer = (200, stranger + line)
    assert await ask(witness, log, 5) == line
    witness.answer = (200, stranger)
    with pytest.raises(WitnessSilentError, match="without a signature"):
        await ask(witness, log, 5)


async def test_of_several_keys_those_that_are_pinned_count(witness, log):
    one = replace(witness.desk.keys[0])
    lines = await cosigned(log.note(5), keys=(one,), seen=0, prove=None, post=witness.post)
    assert lines.count("\n") == 1

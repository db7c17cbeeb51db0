"""Processes of two stages on one database: what was judged for one does not decide in the other."""

import pytest

from remit.deployment.loaded import OtherStageError, load_judged
from remit.errors import ConflictError

from .conftest import CALM, FORBID, WIDER_AGENT, bundle

LAID = {"stages/prod/agents/helper.yaml": WIDER_AGENT}


async def test_a_process_of_another_stage_keeps_what_it_has(start):
    prod, staging = start(stage="prod"), start(stage="staging", instance="other")
    await staging.apply(bundle({**FORBID, **LAID}))
    for _ in range(2):
        with pytest.raises(OtherStageError, match=r"`staging`.*`prod`"):
            await prod.book.refresh()
        assert prod.bundle == bundle().digest
    with pytest.raises((OtherStageError, ConflictError)):
        await prod.apply(bundle(CALM))


async def test_where_both_come_to_the_same_it_is_in_force_in_both(start):
    none, staging = start(), start(stage="staging", instance="other")
    await staging.apply(bundle({**FORBID, **LAID}))
    await none.book.refresh()
    assert none.bundle == staging.bundle == bundle({**FORBID, **LAID}).digest


@pytest.mark.parametrize("judged_for", ["", "staging", "nobody-declares-it"])
def test_no_process_starts_by_what_was_judged_for_another_stage(judged_for):
    with pytest.raises(OtherStageError):
        load_judged(bundle(LAID), stage="prod", judged_for=judged_for)


def test_it_starts_by_what_was_judged_for_its_own():
    assert load_judged(bundle(LAID), stage="prod", judged_for="prod").repository.stage == "prod"
    assert load_judged(bundle(LAID), stage=None, judged_for="staging").repository.stage is None

"""What is remembered is what would be decided: calls that differ in little, each as it is decided by itself."""

import random
from dataclasses import replace

import pytest

from remit.audit.record_seal import RecordSeal
from remit.guard.records import finding_of
from remit.guard.rehearing import Rehearing
from remit.policy import CedarEngine, DecisionPoint
from remit.replay.court import Court, Ruling
from remit.replay.rebuilt import Rebuilder, completed
from remit.testing.clock import FixedClock
from remit.testing.traffic import RECORD_KEY

MORE = """
@id("say-why") @require_justification("reason")
forbid (principal, action in Remit::Action::"write", resource)
when { context.arguments.amount.value.greaterThan(decimal("100.00")) };
@id("fresh") @step_up("10m")
permit (principal, action == Remit::Action::"hr/get_file", resource);
@id("fresh-or-not") @step_up("5m")
forbid (principal, action == Remit::Action::"hr/pay_file", resource);
@id("inside")
forbid (principal, action == Remit::Action::"wiki/get_file", resource)
unless { context.networks.contains("office") };
@id("rows") @mode("observe")
forbid (principal, action in Remit::Action::"export", resource)
when { context.arguments.rows + 1 > 2500 };
@id("one-person")
forbid (principal == Remit::User::"usr_1", action in Remit::Action::"server/tickets", resource);
@id("one-purpose")
forbid (principal, action == Remit::Action::"payments/get_order", resource)
when { context.token.purpose != "customer-care" || context.time.epoch > 1767700000 };
"""


@pytest.fixture(scope="module")
def repository(busy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("more")
    end = '@id("outside")'
    return busy.candidate(
        folder,
        ("policies/all.cedar", end, MORE + end),
        (
            "remit.yaml",
            "environments: [prod]\n",
            "environments: [prod]\nnetworks: { office: [10.0.0.0/8] }\n",
        ),
    )


def questions(busy):
    """Recorded calls, and the same with a little changed."""
    chance = random.Random(3)
    rebuilder = Rebuilder(RecordSeal(RECORD_KEY))
    for entry in chance.sample(busy.decisions(), 260):
        rebuilt = rebuilder.rebuild(entry)
        yield rebuilt
        call, token = rebuilt.call, rebuilt.token
        given = dict(call.arguments)
        if "amount" in given:
            given["amount"] = chance.choice([99.99, 100, 100.01, 500, "500.0001", "much", True])
        if "rows" in given:
            given["rows"] = chance.choice([2499, 2500, 0, "many"])
            given["labels"] = chance.choice([["secret"], [], ["hr"], "secret"])
        given.update(chance.choice([{}, {"Organization_ID": "acme"}, {"reason": "so"}]))
        address = chance.choice([None, "10.1.1.1", "192.0.2.1", "nowhere"])
        yield replace(rebuilt, call=replace(call, arguments=given))
        yield replace(
            rebuilt,
            now=rebuilt.now + chance.choice([0, 299, 300, 301, 3_600, 2**33]),
            token=replace(
                token,
                auth_time=chance.choice([None, -1, rebuilt.now, rebuilt.now - 300]),
                roles=chance.choice([token.roles, ("intern",), tuple(reversed(token.roles))]),
                purpose=chance.choice([token.purpose, "curiosity"]),
                attributes=chance.choice([token.attributes, {"region": "apac"}, {}]),
            ),
            call=replace(
                call,
                context=replace(call.context, network=replace(call.context.network, ip=address)),
                justification=chance.choice([None, "because"]),
            ),
        )


def test_every_ruling_is_the_one_of_a_call_that_is_decided_by_itself(busy, repository):
    court = Court(repository)
    engine = CedarEngine.load(repository.policies, repository.catalog)
    alone = Rehearing(repository.catalog, DecisionPoint(engine, FixedClock(0)))
    reasons = set()
    for _ in range(2):
        for rebuilt in questions(busy):
            call, _ = completed(rebuilt, court.target(rebuilt))
            finding = finding_of(alone.decide(call, rebuilt.token, now=rebuilt.now))
            ruling = court.hear(rebuilt)
            assert isinstance(ruling, Ruling)
            decision = finding.decision
            rules = () if decision is None else tuple(one.id for one in decision.rules)
            observed = () if decision is None else tuple(one.id for one in decision.observed)
            assert (
                ruling.outcome,
                ruling.reason,
                ruling.missing,
                ruling.rules,
                ruling.observed,
            ) == (
                finding.outcome,
                finding.reason,
                finding.missing,
                rules,
                observed,
            )
            reasons.add(ruling.reason)
    assert reasons >= {
        "permitted", "forbidden", "step_up_needed", "justification_needed", "invalid_arguments", "engine_error",
    }  # fmt: skip

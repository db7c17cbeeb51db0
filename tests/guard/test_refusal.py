from remit.guard import Challenge, Deny, RefusalReason
from remit.guard.refusal import Refusal, forbidden_detail, hidden
from remit.policy import (
    Decision,
    DecisionOutcome,
    DecisionReason,
    MatchedRule,
    ResourceKind,
    RuleEffect,
)


def decision(*rules):
    return Decision(
        outcome=DecisionOutcome.DENY,
        reason=DecisionReason.FORBIDDEN,
        rules=tuple(
            MatchedRule(id=str(n), effect=effect, message=message)
            for n, (effect, message) in enumerate(rules)
        ),
        policy_version="v",
        engine="e",
    )


def test_the_words_of_every_policy_that_forbids_are_said_once():
    forbid = RuleEffect.FORBID
    said = forbidden_detail(
        decision((forbid, "too much"), (forbid, "too late"), (forbid, "too much"))
    )
    assert said == "too much; too late"


def test_a_policy_without_words_and_no_policy_at_all_are_said_plainly():
    assert forbidden_detail(decision((RuleEffect.FORBID, None))) == "a policy forbids this call"
    assert forbidden_detail(decision()) == "no policy permits this call"


def test_a_permits_message_is_never_said():
    assert forbidden_detail(decision((RuleEffect.PERMIT, "yes"))) == "no policy permits this call"


def test_what_is_true_is_not_what_is_said_of_a_hidden_thing(world):
    refusal = hidden(ResourceKind.TOOL, RefusalReason.ABOVE_CLEARANCE, token=world.token())
    outcome = refusal.outcome("dec_1")
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.NOT_FOUND
    assert "clearance" not in outcome.detail


def test_only_what_another_token_would_change_is_a_challenge():
    kinds = {
        reason: type(Refusal(reason=reason, detail="", truth=reason).outcome("d"))
        for reason in RefusalReason
    }
    challenges = {reason for reason, kind in kinds.items() if kind is Challenge}
    assert challenges == {
        RefusalReason.MISSING_TOKEN,
        RefusalReason.INVALID_TOKEN,
        RefusalReason.INVALID_PROOF,
        RefusalReason.NONCE_NEEDED,
        RefusalReason.INSUFFICIENT_SCOPE,
    }

"""What comes with a decision besides yes or no."""

from remit.api.authzen.cures import told_of_denial, told_of_permit
from remit.guard import Challenge, Deny, Permit, RefusalReason
from remit.guard.elevations import Asked, AskedState, Elevated
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason
from remit.policy.obligation import Obligation, ObligationKind

APPROVAL = Obligation(kind=ObligationKind.REQUIRE_APPROVAL, value="manager", rule="secret-rule")
REDACT = Obligation(kind=ObligationKind.REDACT, value="iban", rule="secret-rule")
ASKED = Asked(
    id="apr_1", state=AskedState.WAITING, url="https://remit.example/approvals/apr_1",
    expires_at=900, alone=False,
)  # fmt: skip


def permit(*obligations, elevated=None):
    decision = Decision(
        outcome=DecisionOutcome.ALLOW, reason=DecisionReason.PERMITTED, rules=(),
        policy_version="1", engine="cedar", obligations=obligations,
    )  # fmt: skip
    return Permit(decision_id="dec_1", token=None, decision=decision, elevated=elevated)


def denial(**more):
    return Deny(decision_id="dec_1", reason=RefusalReason.APPROVAL_NEEDED, detail="no", **more)


def test_a_permit_says_what_the_asker_has_to_keep_to_itself():
    assert told_of_permit(permit()) == {}
    assert told_of_permit(permit(REDACT, REDACT)) == {
        "obligations": [{"kind": "redact", "value": "iban"}]
    }


def test_a_permit_says_on_what_elevation_it_rests():
    elevated = Elevated(id="elv_1", grant_id="gnt_9", roles=("manager",), acr="urn:x")
    assert told_of_permit(permit(elevated=elevated)) == {
        "elevation": {"id": "elv_1", "roles": ["manager"]}
    }


def test_a_denial_says_what_is_wanting_and_where_people_were_asked():
    assert told_of_denial(denial(needs=(APPROVAL,), asked=ASKED)) == {
        "obligations": [{"kind": "require_approval", "value": "manager"}],
        "approval": {
            "id": "apr_1", "state": "waiting", "url": "https://remit.example/approvals/apr_1",
            "expires_at": 900, "alone": False, "reason": "",
        },
    }  # fmt: skip


def test_of_people_who_were_not_asked_nothing_is_said():
    assert "approval" not in told_of_denial(denial(needs=(APPROVAL,)))


def test_a_denial_that_nothing_cures_says_nothing():
    assert told_of_denial(denial()) == {}


def test_a_challenge_says_nothing_of_policies():
    challenge = Challenge(
        decision_id="dec_1", reason=RefusalReason.INSUFFICIENT_SCOPE, detail="no", scopes=("a:b",)
    )
    assert told_of_denial(challenge) == {}


def test_the_names_of_policies_are_not_passed_on():
    told = [told_of_permit(permit(REDACT)), told_of_denial(denial(needs=(APPROVAL,)))]
    assert "secret-rule" not in str(told)

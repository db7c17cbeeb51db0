import pytest

from remit.casebook import Expected, Found, Outcome
from remit.casebook.comparison import differences
from remit.policy import MatchedRule, RuleEffect
from remit.policy.obligation import Obligation, ObligationKind

FOUND = Found(
    outcome=Outcome.DENY,
    reason="forbidden",
    rules=(MatchedRule(id="a", effect=RuleEffect.FORBID), MatchedRule(id="b", effect=RuleEffect.FORBID)),
    observed=(MatchedRule(id="c", effect=RuleEffect.FORBID),),
    obligations=(Obligation(kind=ObligationKind.STEP_UP, value="5m", rule="a"),),
    needs=(Obligation(kind=ObligationKind.CONFIRM, value="mfa", rule="a"),),
    message="not like this; ask a person",
    scopes=("x", "y"),
    granted=("x",),
    withheld={"z": "agent"},
    sees=("get", "list"),
)  # fmt: skip


@pytest.mark.parametrize(
    "expected",
    [
        Expected(),
        Expected(outcome=Outcome.DENY, reason="forbidden"),
        Expected(rules=("b",)),
        Expected(observed=("c",)),
        Expected(obligations={"step_up": ("5m",)}),
        Expected(cures={"confirm": ("mfa",)}),
        Expected(message="ask a person"),
        Expected(scopes=frozenset({"y", "x"})),
        Expected(granted=frozenset({"x"})),
        Expected(withheld={"z": "agent"}),
        Expected(sees=("get",), hides=("delete",)),
    ],
)
def test_what_is_as_expected_has_no_difference(expected):
    assert list(differences(expected, FOUND)) == []


@pytest.mark.parametrize(
    ("expected", "what"),
    [
        (Expected(outcome=Outcome.HIDDEN), "outcome"),
        (Expected(reason="permitted"), "reason"),
        (Expected(rules=("a", "d")), "rules"),
        (Expected(rules=()), "rules"),
        (Expected(observed=()), "observed"),
        (Expected(obligations={}), "obligations"),
        (Expected(obligations={"step_up": ("1m",)}), "obligation step_up"),
        (Expected(obligations={"require_approval": ("lead",)}), "obligation require_approval"),
        (Expected(cures={}), "cures"),
        (Expected(cures={"confirm": ("phr",)}), "cure confirm"),
        (Expected(cures={"require_approval": ("lead",)}), "cure require_approval"),
        (Expected(message="Ask"), "message"),
        (Expected(scopes=frozenset({"x"})), "scopes"),
        (Expected(granted=frozenset({"x", "y"})), "granted"),
        (Expected(granted=frozenset()), "granted"),
        (Expected(withheld={"z": "person"}), "withheld z"),
        (Expected(withheld={"x": "agent"}), "withheld x"),
        (Expected(withheld={}), "withheld"),
        (Expected(sees=("delete",)), "sees"),
        (Expected(sees=()), "sees"),
        (Expected(hides=("get",)), "hides"),
    ],
)
def test_what_is_not_as_expected_is_named(expected, what):
    assert [one.what for one in differences(expected, FOUND)] == [what]

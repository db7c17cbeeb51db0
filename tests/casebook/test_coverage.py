from remit.casebook import Coverage, PolicyCoverage, ThingCoverage
from remit.policy import RuleEffect


def policy(decided: int, aside: int, *, conditional: bool = True) -> PolicyCoverage:
    return PolicyCoverage(
        id="p", effect=RuleEffect.FORBID, conditional=conditional, decided=decided, aside=aside
    )


def test_the_share_of_points_is_counted():
    coverage = Coverage(
        policies=(policy(3, 0), policy(0, 2), policy(1, 1), policy(1, 0, conditional=False)),
        things=(
            ThingCoverage(name="a", allowed=1, refused=0),
            ThingCoverage(name="b", allowed=0, refused=0),
        ),
    )
    assert [one.points for one in coverage.policies] == [(1, 2), (1, 2), (2, 2), (1, 1)]
    assert coverage.percent == 100 * (1 + 1 + 2 + 1 + 1 + 0) / (7 + 4)
    assert coverage.silent_policies == ("p",)


def test_where_there_is_nothing_to_cover_everything_is():
    assert Coverage(policies=(), things=()).percent == 100


def test_a_policy_is_covered_by_a_case_that_it_decides_and_one_that_it_does_not(run):
    head = "defaults: { who: ann, agent: support-assistant, tool: payments/refund, arguments: { invoice_id: i, reason: r } }\ncases:\n"
    within = "  - { name: within, arguments: { amount: 1 }, expect: allow }\n"
    beyond = "  - { name: beyond, arguments: { amount: 501 }, expect: deny }\n"

    def refund_limit(cases: str) -> tuple[int, int]:
        found = {one.id: one for one in run(head + cases).coverage.policies}["refund-limit"]
        return found.decided, found.aside

    assert refund_limit(within) == (0, 1)
    assert refund_limit(beyond) == (1, 0)
    assert refund_limit(within + beyond) == (1, 1)


def test_a_permit_that_a_forbid_overrules_is_not_said_to_stand_aside(run):
    report = run(
        "cases:\n  - { name: x, who: ann, agent: support-assistant, tool: payments/refund, "
        "arguments: { amount: 501, invoice_id: i, reason: r }, expect: deny }\n"
    )
    permit = {one.id: one for one in report.coverage.policies}["call-what-the-scopes-allow"]
    assert (permit.decided, permit.aside) == (0, 0)


def test_what_was_refused_before_policy_was_asked_covers_no_policy(run):
    report = run(
        "cases:\n  - { name: x, who: sam, agent: support-assistant, tool: payments/refund, "
        "arguments: { amount: 501, invoice_id: i, reason: r }, expect: hidden }\n"
    )
    assert {(one.decided, one.aside) for one in report.coverage.policies} == {(0, 0)}
    refund = {one.name: one for one in report.coverage.things}["payments/refund"]
    assert (refund.allowed, refund.refused) == (0, 1)

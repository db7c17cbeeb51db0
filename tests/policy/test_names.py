"""A name that nothing has is a mistake wherever it stands, with what was meant."""

import pytest

HEAD = '(principal, action == Remit::Action::"crm/update_account", resource)'


def said(desk, condition, head=HEAD):
    return [one.message for one in desk.check(f'@id("x") forbid{head} when {{ {condition} }};')]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("context has justificaton", "`context` has no attribute `justificaton`; did you mean `justification`?"),
        ('context.token has arc && context.token.arc == "x"', "`context.token` has no attribute `arc`"),
        ("context.authentication has age_second", "did you mean `age_seconds`?"),
        ("context has authentication.age_second", "did you mean `age_seconds`?"),
        ("context.history has cals", "did you mean `calls`?"),
        ("context has told.tikcet", "`context.told` has no attribute `tikcet`; did you mean `ticket`?"),
        ("context has told && context.told has tikcet", "did you mean `ticket`?"),
        ('context has told && context.told.tikcet == "x"', "did you mean `ticket`?"),
        ("context has arguments.acount", "`context.arguments` has no attribute `acount`; did you mean `account`?"),
        ("context.arguments has acount", "did you mean `account`?"),
        ("resource has regoin", "`resource` has no attribute `regoin`; did you mean `region`?"),
        ("principal has role", "did you mean `roles`?"),
        ('context.networks.contains("ofice")', "unknown network `ofice`; did you mean `office`?"),
        ('context.networks.containsAny(["office", "von"])', "unknown network `von`; did you mean `vpn`?"),
        ("context.time.huor < 3", "did you mean `hour`?"),
        ('context.arguments.acount == "x"', "did you mean `account`?"),
        ("context.history.cals > 3", "did you mean `calls`?"),
        ("resource.sensitivty_rank > 1", "did you mean `sensitivity_rank`?"),
    ],
)  # fmt: skip
def test_what_was_meant_is_said(desk, condition, message):
    (found,) = said(desk, condition)
    assert message in found


@pytest.mark.parametrize(
    ("head", "condition", "expected"),
    [
        (HEAD, 'context.networks.contains("home")', "a network declared under `networks` of remit.yaml"),
        (HEAD, "context.history has cals", "`calls`, `"),
        ('(principal, action in Remit::Action::"server/crm", resource)', "context.arguments.score > 3",
         "`context.arguments has score` first: not every thing it is about has it"),
    ],
    ids=["network", "fact", "argument-of-some"],
)  # fmt: skip
def test_what_to_do_is_said(desk, head, condition, expected):
    found = desk.check(f'@id("x") forbid{head} when {{ {condition} }};')
    assert expected in found[0].expected


@pytest.mark.parametrize(
    "condition",
    [
        'context has justification && context.justification like "INC-*"',
        "context.authentication has age_seconds && context.authentication.age_seconds < 300",
        'context has told && context.told has ticket && context.told.ticket like "CHG-*"',
        "context has told.ticket && context.told.ticket != context.token.purpose",
        "context has arguments.score && context.arguments.score > 3",
        "resource has region && resource has tenant",
        'context.networks.containsAll(["office", "vpn"])',
        "context.history.calls > 3 && context.history.exported",
        'context.history.spent.greaterThan(decimal("5.0")) || context.history.opened.contains("hr")',
        'principal.hasTag("anything")',
        'context.environment == "prod"',
    ],
)  # fmt: skip
def test_what_there_is_is_taken(desk, condition):
    assert said(desk, condition) == []


def test_an_argument_that_something_in_the_head_has_may_be_asked_for(desk):
    head = '(principal, action in Remit::Action::"server/crm", resource)'
    condition = (
        "context has arguments && context.arguments has score && context.arguments.score > 1"
    )
    assert said(desk, condition, head) == []
    (message,) = said(desk, "context.arguments has amount", head)
    assert "`context.arguments` has no attribute `amount`" in message


def test_names_that_nobody_can_tell_yet_are_left_alone(desk):
    desk.catalog = Unread(desk.catalog)
    assert said(desk, 'context.networks.contains("ofice")') == []


class Unread:
    """A catalog of which roles and networks cannot be told."""

    def __init__(self, catalog):
        self.servers, self.history = catalog.servers, catalog.history
        self.told = catalog.told
        self.networks = self.roles = None

"""What claims make of a person, by rules; and whom they keep out."""

import pytest

from remit.identity.providers.profile import profile_of
from remit.identity.providers.rejection import ProviderLoginError
from remit.ids import TenantId
from remit.model import ClaimMapping, IdentityProvider


def provider(*rules, **changes):
    fields = {
        "name": "corp",
        "title": "Corp",
        "issuer": "https://login.corp.example",
        "client_id": "remit",
        "tenant": TenantId("acme"),
        "rules": rules,
    }
    return IdentityProvider(**(fields | changes))


def profile(claims, *rules, **changes):
    return profile_of(provider(*rules, **changes), "sub-1", claims)


def refused(reason, claims, *rules, **changes):
    with pytest.raises(ProviderLoginError) as caught:
        profile(claims, *rules, **changes)
    assert caught.value.reason == reason


SUPPORT = ClaimMapping(claims={"groups": ("support", "help")}, roles=("support",))
LEAD = ClaimMapping(
    claims={"groups": ("support",), "grade": ("7",)}, roles=("lead",), attributes={"grade": "lead"}
)


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"groups": ["support"]}, ("support",)),
        ({"groups": ["other", "help"]}, ("support",)),
        ({"groups": "support"}, ("support",)),
        ({"groups": ["support"], "grade": 7}, ("support", "lead")),
        ({"groups": ["support"], "grade": "8"}, ("support",)),
        ({"groups": ["Support"]}, ()),
        ({"groups": ["support "]}, ()),
        ({"groups": "support help"}, ()),
        ({"groups": {"support": True}}, ()),
        ({"groups": None}, ()),
        ({}, ()),
    ],
)
def test_every_rule_that_matches_applies_and_no_other(claims, roles):
    assert profile(claims, SUPPORT, LEAD).roles == roles


def test_true_and_false_are_compared_as_they_are_written():
    rule = ClaimMapping(claims={"employee": ("true",)}, roles=("staff",))
    assert profile({"employee": True}, rule).roles == ("staff",)
    assert profile({"employee": False}, rule).roles == ()
    assert profile({"employee": 1}, rule).roles == ()


def test_dots_reach_into_objects_and_a_whole_name_comes_first():
    rule = ClaimMapping(claims={"realm_access.roles": ("agents",)}, roles=("support",))
    assert profile({"realm_access": {"roles": ["agents"]}}, rule).roles == ("support",)
    assert profile({"realm_access.roles": "agents"}, rule).roles == ("support",)
    assert (
        profile({"realm_access.roles": "none", "realm_access": {"roles": "agents"}}, rule).roles
        == ()
    )
    assert profile({"realm_access": "agents"}, rule).roles == ()


def test_a_rule_that_keeps_out_holds_whatever_others_say():
    deny = ClaimMapping(claims={"groups": ("suspended",)}, deny=True)
    refused("denied_by_rule", {"groups": ["support", "suspended"]}, SUPPORT, deny)


def test_the_tenant_is_of_the_first_rule_that_gives_one_else_the_providers():
    globex = ClaimMapping(claims={"org": ("globex",)}, tenant=TenantId("globex"))
    other = ClaimMapping(claims={"org": ("globex",)}, tenant=TenantId("acme"))
    assert profile({"org": "globex"}, globex, other).tenant == "globex"
    assert profile({"org": "x"}, globex).tenant == "acme"
    refused("no_tenant", {"org": "x"}, globex, tenant=None)


def test_attributes_come_from_rules_first_and_then_from_claims():
    found = profile(
        {"groups": "support", "grade": 7, "dept": "help desk", "many": ["a", "b"], "bad": "a\nb"},
        LEAD,
        attributes={
            "grade": "grade",
            "department": "dept",
            "list": "many",
            "line": "bad",
            "no": "x",
        },
    )
    assert dict(found.attributes) == {"grade": "lead", "department": "help desk"}


@pytest.mark.parametrize("claims", [{"_claim_names": {"groups": "src1"}}])
def test_claims_that_are_kept_elsewhere_are_not_taken_for_absent(claims):
    refused("userinfo", claims, SUPPORT)
    assert profile(claims | {"groups": "support"}, SUPPORT).roles == ("support",)
    assert profile({"_claim_names": {"address": "src1"}}, SUPPORT).roles == ()


@pytest.mark.parametrize(
    ("told", "username"),
    [
        ("Grace", "grace"),
        ("grace@acme.example", "grace@acme.example"),
        ("Grace Hopper", "grace-hopper"),
        ("..admin", "admin"),
        ("g" * 99, "g" * 64),
        ("ÄÖ", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_name_is_made_one_that_can_be_a_name_here(told, username):
    usernames = profile({"preferred_username": told}).usernames
    assert all(len(one) <= 64 for one in usernames)
    if username is not None:
        assert usernames[0] == username
        assert usernames[1].startswith(username[:51])
        assert usernames[1] != username
    else:
        assert usernames[-1].startswith("corp-")


def test_names_of_two_subjects_are_never_made_the_same():
    claims = {"preferred_username": "Grace"}
    one = profile_of(provider(), "sub-1", claims).usernames[-1]
    other = profile_of(provider(), "sub-2", claims).usernames[-1]
    elsewhere = profile_of(provider(issuer="https://x.example"), "sub-1", claims).usernames[-1]
    assert len({one, other, elsewhere}) == 3


@pytest.mark.parametrize("name", [None, "", 7, "a\nb", "  "])
def test_a_name_that_cannot_be_shown_is_none(name):
    assert profile({"name": name}).display_name is None

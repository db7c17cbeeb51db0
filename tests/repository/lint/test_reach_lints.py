"""Roles and agents: what nobody reaches, and what differs too little."""

import pytest


def of(code, found):
    return [one.removeprefix(f"{code} ") for one in found if one.startswith(f"{code} ")]


def roles(tidy, **named):
    lines = [f"  {name}: {{scopes: [{', '.join(scopes)}]}}\n" for name, scopes in named.items()]
    return tidy.write("roles.yaml", "roles:\n" + "".join(lines))


READ, WRITE, DELETE, NOTES = (
    "crm:accounts.read", "crm:accounts.write", "crm:accounts.delete", "crm:notes.read",
)  # fmt: skip
ALL = [READ, WRITE, DELETE, NOTES]


def test_a_role_that_is_another_under_a_second_name_is_remarked(tidy, said):
    roles(tidy, one=ALL, two=ALL[::-1])
    assert said(tidy) == ["equal-roles roles.yaml:3 `two` has the scopes of `one`"]


def test_a_role_that_is_two_others_is_remarked(tidy, said):
    roles(tidy, reader=[READ, NOTES], editor=[WRITE, DELETE], both=ALL)
    assert said(tidy) == ["union-role roles.yaml:4 `both` is `reader` and `editor`"]


def test_a_role_that_has_more_than_two_others_together_is_not(tidy, said):
    roles(tidy, reader=[READ, NOTES], editor=[WRITE], both=ALL)
    assert of("union-role", said(tidy)) == []


def test_roles_that_explode_are_remarked_once(tidy, said):
    for n in range(3):
        tidy.append("scopes.yaml", f"crm:x{n}.list: {{title: T, description: D}}\n")
    roles(tidy, **{f"r{n}": [*ALL, f"crm:x{n}.list"] for n in range(3)}, base=ALL)
    assert of("similar-roles", said(tidy)) == [
        "roles.yaml:5 `base` differs little from `r0`, `r1`, `r2`"
    ]


def test_few_roles_that_differ_little_are_not(tidy, said):
    roles(tidy, one=ALL, two=ALL[:3])
    assert of("similar-roles", said(tidy)) == []


PEOPLE = """\
passwords: false
providers:
  okta:
    title: Okta
    issuer: https://okta.example
    client_id: remit
    tenant: acme
    rules: [{claims: {groups: staff}, roles: [support]}]
"""


def test_a_role_that_nothing_gives_is_remarked_where_none_is_given_by_hand(tidy, said):
    tidy.append("roles.yaml", "  lost: {scopes: [crm:notes.read]}\n")
    assert of("unreachable-role", said(tidy)) == []
    tidy.write("people.yaml", PEOPLE)
    assert of("unreachable-role", said(tidy)) == ["roles.yaml:3 nothing makes anybody `lost`"]


def test_a_role_that_an_attribute_gives_is_reached(tidy, said):
    tidy.append("roles.yaml", "  lost: {scopes: [crm:notes.read]}\n").write("people.yaml", PEOPLE)
    tidy.append("roles.yaml", "attributes: [{when: {team: x}, roles: [lost]}]\n")
    assert of("unreachable-role", said(tidy)) == []


def test_an_agent_that_holds_what_no_role_can_give_is_remarked(tidy, said):
    tidy.edit("roles.yaml", ", crm:notes.read", "")
    assert said(tidy) == [
        "ungrantable-scope agents/helper.yaml:4 no role can give `crm:notes.read` to anybody's agent"
    ]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "agents/helper.yaml",
            "clients: {static: [{client_id: c, name: C, secret: 'env:C_SECRET', grant_types: [client_credentials]}]}\n",
        ),
        (
            "trust.yaml",
            "issuers: {ci: {issuer: 'https://ci.example', workloads: [{agent: helper}]}}\n",
        ),
    ],
)
def test_an_agent_that_acts_for_itself_needs_no_role(tidy, said, file, text):
    tidy.edit("roles.yaml", ", crm:notes.read", "")
    if file == "trust.yaml":
        tidy.write(file, text)
    else:
        tidy.append(file, text)
    assert of("ungrantable-scope", said(tidy)) == []


def test_a_role_that_covers_what_the_agent_holds_gives_it(tidy, said):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:notes.read']}")
    tidy.edit("roles.yaml", ", crm:notes.read", "")
    assert of("ungrantable-scope", said(tidy)) == []


def test_an_agent_that_holds_what_opens_nothing_for_it_is_remarked(tidy, said):
    tidy.edit("servers/crm.yaml", "shared: true", "tenant: globex")
    assert len(of("idle-agent-scope", said(tidy))) == 4
    assert of("unreachable-thing", said(tidy)) == [
        f"servers/crm.yaml:{line} no agent can reach tool `{name}`: none may use its server"
        for line, name in ((7, "get"), (8, "put"), (9, "drop"), (10, "notes"))
    ]


def test_a_tool_whose_scopes_no_agent_holds_is_remarked(tidy, said):
    tidy.edit("agents/helper.yaml", ", crm:notes.read", "")
    assert said(tidy) == [
        "unreachable-thing servers/crm.yaml:10 no agent can reach tool `notes`: none holds what it takes"
    ]


def test_a_tool_too_sensitive_for_every_agent_is_remarked(tidy, said):
    tidy.edit("servers/crm.yaml", "sensitivity: medium", "sensitivity: high")
    assert said(tidy) == [
        "unreachable-thing servers/crm.yaml:9 no agent can reach tool `drop`: `helper` is not cleared for high"
    ]


def test_what_agents_are_kept_from_on_purpose_is_not(tidy, said):
    tidy.edit("agents/helper.yaml", ", crm:notes.read", "")
    tidy.append("remit.yaml", "guardrails: {forbidden_scopes: [crm:notes.read]}\n")
    assert said(tidy) == []


def test_unregistered_clients_reach_tools_too(tidy, said):
    tidy.edit("agents/helper.yaml", ", crm:notes.read", "")
    tidy.append(
        "remit.yaml",
        "unregistered: {scopes: [crm:notes.read], environments: [prod], tenants: [acme]}\n",
    )
    assert said(tidy) == []


def test_an_agent_cleared_for_more_than_it_reaches_is_noted(tidy, said):
    tidy.append("agents/helper.yaml", "max_sensitivity: critical\n")
    assert said(tidy) == [
        "idle-clearance agents/helper.yaml:7 cleared for critical, and reaches nothing above medium"
    ]

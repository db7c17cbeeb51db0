"""Which agents a bundle is tried on, and which bundles can be tried at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.deployment.loaded import load_bundle
from remit.deployment.share import NotTriableError, is_in_share, require_triable
from remit.ids import AgentId

from .conftest import FILES, FORBID, bundle

KEY = bytes(32)


@given(st.text(min_size=1), st.integers(0, 100))
def test_nobody_leaves_a_share_that_grows(agent, share):
    inside = [is_in_share(KEY, "b" * 64, AgentId(agent), one) for one in (share, 100)]
    assert inside[1]
    assert not is_in_share(KEY, "b" * 64, AgentId(agent), 0)
    if inside[0]:
        assert all(is_in_share(KEY, "b" * 64, AgentId(agent), one) for one in range(share, 101))


def test_the_share_is_about_as_large_as_it_says_and_another_for_the_next_bundle():
    agents = [AgentId(f"agent-{number}") for number in range(2_000)]
    first = {one for one in agents if is_in_share(KEY, "a" * 64, one, 10)}
    second = {one for one in agents if is_in_share(KEY, "b" * 64, one, 10)}
    other_key = {one for one in agents if is_in_share(b"k" * 32, "a" * 64, one, 10)}
    assert all(140 <= len(one) <= 260 for one in (first, second, other_key))
    assert first != second
    assert first != other_key


def catalogs(changes: dict[str, str]):
    return load_bundle(bundle()).catalog, load_bundle(bundle(changes)).catalog


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"remit.yaml": FILES["remit.yaml"] + "issuer: {name: Other}\n"}, "issuer"),
        ({"remit.yaml": FILES["remit.yaml"].replace("Acme", "Other")}, "tenants"),
        ({"remit.yaml": FILES["remit.yaml"].replace("[prod]", "[prod, dev]")}, "environments"),
        ({"people.yaml": "second_factor: required\n"}, "sign-in"),
        ({"remit.yaml": FILES["remit.yaml"].replace("deployment: {}", "deployment: {replay_days: 1}")}, "deployment"),
        ({"servers/crm.yaml": FILES["servers/crm.yaml"].replace("crm.example/mcp", "evil.example/mcp")}, "server `crm`"),
        ({"servers/crm.yaml": FILES["servers/crm.yaml"].replace("'off'", "first_use")}, "server `crm`"),
        ({"servers/two.yaml": FILES["servers/crm.yaml"]}, "server `two`"),
    ],
    ids=["issuer", "tenants", "environments", "log-in", "rules", "upstream", "pinning", "a new server"],
)  # fmt: skip
def test_what_is_everybodys_at_once_cannot_be_tried_on_some(changes, named):
    with pytest.raises(NotTriableError, match=named):
        require_triable(*catalogs(changes))


@pytest.mark.parametrize(
    "changes",
    [
        FORBID,
        {"agents/helper.yaml": FILES["agents/helper.yaml"].replace("Helper", "Other")},
        {"roles.yaml": "roles: {}\n"},
        {
            "servers/crm.yaml": FILES["servers/crm.yaml"].replace(
                "sensitivity: low", "sensitivity: high"
            )
        },
    ],
    ids=["policies", "agents", "roles", "tools"],
)
def test_what_decides_calls_can_be_tried(changes):
    require_triable(*catalogs(changes))

import pytest

from remit.repository.workload_claims import GITHUB_ACTIONS, claims_fault, value_faults

CLUSTER = "https://kubernetes.default.svc"


@pytest.mark.parametrize(
    ("issuer", "names"),
    [
        (GITHUB_ACTIONS, {"repository"}),
        (GITHUB_ACTIONS, {"repository_id", "ref"}),
        (GITHUB_ACTIONS, {"repository_owner_id"}),
        (GITHUB_ACTIONS, {"sub", "aud"}),
        (f"{GITHUB_ACTIONS}/acme", {"sub"}),
        (CLUSTER, {"kubernetes.io.namespace"}),
    ],
)
def test_claims_that_single_somebody_out_will_do(issuer: str, names: set[str]) -> None:
    assert claims_fault(issuer, names) is None


@pytest.mark.parametrize(
    ("issuer", "names"),
    [
        (GITHUB_ACTIONS, {"ref"}),
        (GITHUB_ACTIONS, {"workflow", "environment"}),
        (GITHUB_ACTIONS, {"repository_owner"}),
        (GITHUB_ACTIONS, {"actor"}),
        (f"{GITHUB_ACTIONS}/acme", {"ref"}),
        (CLUSTER, {"aud"}),
        (CLUSTER, {"iss", "exp"}),
    ],
)
def test_claims_that_everybody_has_will_not_do(issuer: str, names: set[str]) -> None:
    assert claims_fault(issuer, names) is not None


@pytest.mark.parametrize(
    ("issuer", "name", "value"),
    [
        (GITHUB_ACTIONS, "repository", "acme/billing"),
        (GITHUB_ACTIONS, "repository", "acme/*"),
        (GITHUB_ACTIONS, "sub", "repo:acme/*"),
        (GITHUB_ACTIONS, "sub", "repo:acme/billing:ref:refs/heads/main"),
        (GITHUB_ACTIONS, "ref", "refs/tags/*"),
        (GITHUB_ACTIONS, "repository_id", "123"),
        (CLUSTER, "sub", "system:serviceaccount:billing:*"),
        (CLUSTER, "actor", "anybody"),
    ],
)
def test_a_value_that_singles_somebody_out_will_do(issuer: str, name: str, value: str) -> None:
    assert list(value_faults(issuer, {name: [value]})) == []


@pytest.mark.parametrize(
    ("issuer", "name", "value"),
    [
        (CLUSTER, "sub", "*"),
        (CLUSTER, "sub", "**"),
        (CLUSTER, "sub", "*:billing"),
        (CLUSTER, "sub", "system:*:billing"),
        (GITHUB_ACTIONS, "repository", "*"),
        (GITHUB_ACTIONS, "repository", "acme*"),
        (GITHUB_ACTIONS, "sub", "repo:*"),
        (GITHUB_ACTIONS, "sub", "repo:acme*"),
        (GITHUB_ACTIONS, "sub", "repo:/*"),
        (GITHUB_ACTIONS, "sub", "environment:x/*"),
        (GITHUB_ACTIONS, "repository_id", "12*"),
        (GITHUB_ACTIONS, "repository_owner_id", "1*"),
        (GITHUB_ACTIONS, "actor", "octocat"),
        (GITHUB_ACTIONS, "triggering_actor", "octocat"),
        (GITHUB_ACTIONS, "actor_id", "1"),
    ],
)
def test_a_value_that_strangers_could_have_will_not_do(issuer: str, name: str, value: str) -> None:
    [(claim, _, message, expected)] = value_faults(issuer, {name: [value]})
    assert claim == name
    assert message
    assert expected
